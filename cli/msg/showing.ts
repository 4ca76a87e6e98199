/**
 * Messages and contacts as people and programs read them.
 *
 * @module
 */
import type { Contact, MessageEvent, StoredMessage, WaitingMessage } from "@alknet/handlers/msg";
import { visibleLine } from "../terminal/visible.ts";

/** `47pj…krpy`. */
export function shortId(nodeId: string): string {
  return `${nodeId.slice(0, 4)}…${nodeId.slice(-4)}`;
}

/** A contact's name, and of one that is known by its key alone the short form of that. */
export function shownName(name: string): string {
  return name.length === 52 ? shortId(name) : visibleLine(name);
}

/** `ann  47pj…krpy  accepted  verified`; of one that asks to be a device it says so. */
export function contactLine({ name, nodeId, state, verified, asks }: Contact): string {
  const words = [visibleLine(name), shortId(nodeId), state, verified ? "verified" : "unverified"];
  return [...words, ...asks ? ["asks to be a device of yours"] : []].join("  ");
}

/** `2025-11-28 14:02 ann  hi`; line breaks and whatever drives a terminal are escaped. */
export function messageLine(message: StoredMessage): string {
  const { contact, from, differs, mine, request, at, got, state, text, file } = message;
  // Nobody can have written later than it came: then its writer's clock is wrong, or lies.
  const when = localTime(Math.min(at, got));
  const writer = from === undefined ? shownName(contact) : `${shownName(from)} in ${shownName(contact)}`;
  const who = mine ? `to ${shownName(contact)}` : writer;
  const told = mine && state !== "stored" ? ` (${state})` : "";
  const note = request ? " (request)" : differs ? " (to other members)" : told;
  // Of a file what it is called: its bytes are for whoever saves it.
  const what = file ? `[file ${visibleLine(file.name)}, ${file.size} bytes, ${message.id}]` : visibleLine(text);
  return `${when} ${who}${note}  ${what}`;
}

/** A message as an object. */
export function messageJson(message: StoredMessage): Record<string, unknown> {
  const { id, contact, from, differs, mine, at, got, state, text, file } = message;
  const content = file ? { type: "file", ...file } : { type: "text", text };
  const ofGroup = { ...from !== undefined && { from }, ...differs && { differs } };
  return { id, contact, ...ofGroup, mine, at, got, state, content };
}

/** What happens: a message as {@linkcode messageLine} has it, `14:03 request from 47pj…krpy`, `14:03 AAEC… stored`. */
export function eventLine(event: MessageEvent, now: number): string {
  if (event.event === "message") return messageLine(event.message);
  const time = localTime(now).slice(-5);
  if (event.event === "state") return `${time} ${event.id.slice(0, 4)}… ${event.state}`;
  const who = event.contact === undefined ? "somebody" : shownName(event.contact);
  switch (event.event) {
    case "request":
      return `${time} request from ${who}`;
    case "unreadable":
      return `${time} what came from ${who} does not open`;
    case "reset":
      return `${time} a new session begins with ${who}`;
  }
}

/** `AAEC…  ann  3 tries, next in 40 s`. */
export function waitingLine({ id, contact, tries, due }: WaitingMessage, now: number): string {
  const seconds = Math.max(0, Math.ceil((due - now) / 1000));
  const count = tries === 1 ? "1 try" : `${tries} tries`;
  return `${id.slice(0, 4)}…  ${shownName(contact)}  ${count}, next ${seconds === 0 ? "now" : `in ${seconds} s`}`;
}

/** What happens, as an object. */
export function eventJson(event: MessageEvent): Record<string, unknown> {
  return event.event === "message" ? { event: "message", message: messageJson(event.message) } : { ...event };
}

function localTime(milliseconds: number): string {
  const date = new Date(milliseconds);
  const two = (value: number): string => `${value}`.padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}
