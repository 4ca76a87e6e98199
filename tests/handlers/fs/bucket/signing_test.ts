/**
 * Signatures: those that Amazon's documentation shows, and those that botocore makes.
 *
 * @module
 */
import { BucketCredential } from "@alknet/handlers/fs";
import { equal, throws } from "node:assert/strict";
import { signed } from "../../../../handlers/fs/bucket/s3/signing.ts";
import { needs } from "../../../support/programs.ts";
import { startPeer } from "../../../support/python.ts";
import { seeded } from "../../../support/random.ts";

const EXAMPLE = new BucketCredential("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** From "Signature Calculations for the Authorization Header", Amazon S3 API Reference. */
const EXAMPLES: readonly { path: string; headers: Record<string, string>; signature: string }[] = [
  {
    path: "/test.txt",
    headers: { range: "bytes=0-9" },
    signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  },
  { path: "/?lifecycle", headers: {}, signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543" },
  {
    path: "/?max-keys=2&prefix=J",
    headers: {},
    signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  },
];

for (const { path, headers, signature } of EXAMPLES) {
  Deno.test(`signed(): GET ${path} as Amazon's documentation has it`, async () => {
    const { authorization } = await signed({
      method: "GET",
      url: new URL(path, "https://examplebucket.s3.amazonaws.com"),
      headers: { ...headers, "x-amz-content-sha256": EMPTY },
    }, { credential: EXAMPLE, region: "us-east-1", now: new Date("2013-05-24T00:00:00Z") });
    equal(authorization.slice(authorization.lastIndexOf("=") + 1), signature);
  });
}

Deno.test({
  name: "signed(): the same as botocore for any request, with and without the token of a session",
  ...needs("python"),
  async fn() {
    const random = seeded("signatures");
    const text = (): string =>
      Array.from({ length: random.between(1, 20) }, () => random.pick([..."aZ9-._~ +/=&%ü()*'!"])).join("");
    await using peer = startPeer("s3_client.py");
    for (let i = 0; i < 30; i++) {
      const url = new URL(`https://bucket.example/${random.bytes(4).toHex()}/${random.bytes(8).toHex()}.by-0`);
      for (let n = random.below(4); n > 0; n--) url.searchParams.set(`${n}${text()}`, text());
      const coded = (part: string): string =>
        encodeURIComponent(part).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
      // As it is sent: in order, and all encoded.
      url.search = [...url.searchParams].map((pair) => pair.map(coded).join("=")).sort().join("&");
      const headers: Record<string, string> = random.chance(0.5) ? { "if-none-match": "*", range: "bytes=0-9" } : {};
      const token = random.chance(0.5) ? "session/token+1==" : undefined;
      const method = random.pick(["GET", "PUT", "POST", "DELETE", "HEAD"]);
      const now = new Date(1e12 + random.uint32() * 1000);
      const credential = new BucketCredential("AK", "secret", token);
      const ours = await signed({ method, url, headers }, { credential, region: "eu-1", now });
      const asked = { action: "sign", accessKey: "AK", secret: "secret", token, region: "eu-1" };
      const theirs = await peer.ask({ ...asked, method, url: url.href, headers, now: now.toISOString() });
      equal(ours.authorization, theirs.authorization, url.href);
    }
  },
});

Deno.test("BucketCredential: read from text, never repeated where it is wrong", () => {
  const credential = BucketCredential.parse("AK:se:cret\n");
  equal(credential.reveal().secret, "se");
  equal(credential.reveal().token, "cret");
  for (const wrong of ["onlykey", "", "a b:topsecret", "AK:top\nsecret", ":topsecret"]) {
    throws(() => BucketCredential.parse(wrong), (error) => {
      const { code, message } = error as { code?: unknown; message: string };
      return code === "CREDENTIAL_INVALID" && !message.includes("topsecret") && !message.includes("onlykey");
    });
  }
});
