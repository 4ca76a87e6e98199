"""A service made with FastAPI. Prints its port; every request must bring the bearer token given on the command line."""

import asyncio
import json
import socket
import sys

import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

TOKEN = sys.argv[1]
app = FastAPI(title="pets")
bearer = HTTPBearer(auto_error=False)
pets = {}


class Pet(BaseModel):
    name: str
    age: int = 0


def known(given: HTTPAuthorizationCredentials | None = Depends(bearer)) -> None:
    if given is None or given.credentials != TOKEN:
        raise HTTPException(401, "who are you?")


@app.put("/pets/{pet_id}", operation_id="put_pet", dependencies=[Depends(known)])
def put_pet(pet_id: str, pet: Pet) -> Pet:
    pets[pet_id] = pet
    return pet


@app.get("/pets/{pet_id}", operation_id="get_pet", dependencies=[Depends(known)], responses={404: {}})
def get_pet(pet_id: str, loud: bool = False) -> dict:
    if pet_id not in pets:
        raise HTTPException(404, "no such pet")
    pet = pets[pet_id]
    return {"name": pet.name.upper() if loud else pet.name, "age": pet.age}


async def main() -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    await uvicorn.Server(uvicorn.Config(app, log_level="error")).serve(sockets=[listener])


asyncio.run(main())
