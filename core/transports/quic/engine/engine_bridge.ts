/**
 * The engine's end of the bridge: sessions' events become frames, frames become sessions' commands.
 *
 * @module
 */
import type { CloseInfo } from "../../../errors.ts";
import type { CertificateKeyPair } from "../../../identity/key_pair.ts";
import type { Limits } from "../../../limits/limits.ts";
import type { EndedEvent, RefusedEvent } from "../link/engine_config.ts";
import { type Frame, type FrameWriter, jsonOf, Kind } from "../link/frames.ts";
import { DATAGRAM_BACKLOG, type PathStats, type SessionEvents, type SessionFacts } from "../link/link.ts";
import type { Session } from "./session/session.ts";

/** What concerns the engine as a whole. */
export interface EngineControl {
  /** Take no newcomers. */
  stopAccepting(): void;
  /** Close everything and end. */
  shutDown(reason: string): void;
  /** Hold to these limits of admission. */
  adjustLimits(limits: Limits): void;
  /** Show newcomers this certificate of the public profile. */
  adjustCertificate(certificate: CertificateKeyPair): void;
  /** Refuse an address for a while. */
  ban(address: string, ms: number): void;
}

/** All connections of one engine, as the node knows them. */
export class EngineBridge {
  readonly #out: FrameWriter;
  readonly #sessions = new Map<number, Session>();
  #connections = 0;

  /** @param out Frames to the node. */
  constructor(out: FrameWriter) {
    this.#out = out;
  }

  /** Tells the node of a new connection. */
  accept(session: Session, facts: SessionFacts): SessionEvents {
    const id = ++this.#connections;
    this.#sessions.set(id, session);
    const { certificate, ...rest } = facts;
    const json = new TextEncoder().encode(JSON.stringify(rest));
    const payload = new Uint8Array(json.byteLength + (certificate?.byteLength ?? 0));
    payload.set(json);
    if (certificate) payload.set(certificate, json.byteLength);
    this.#out.write(Kind.OPENED, id, 0, json.byteLength, payload);
    return new FramedEvents(this.#out, id, () => this.#sessions.delete(id));
  }

  /** Tells the node of a refusal, for its log and counters. */
  refused(event: RefusedEvent): void {
    this.#out.writeJson(Kind.REFUSED, 0, event);
  }

  /** Obeys a frame of the node. Frames of connections that are over are late, and dropped. */
  obey(frame: Frame, control: EngineControl): void {
    const { kind, connection, stream, value, payload } = frame;
    switch (kind) {
      case Kind.STOP_ACCEPTING:
        return control.stopAccepting();
      case Kind.SHUT_DOWN:
        return control.shutDown(new TextDecoder().decode(payload));
      case Kind.LIMITS:
        return control.adjustLimits(jsonOf<Limits>(payload));
      case Kind.CERTIFICATE:
        return control.adjustCertificate(jsonOf<CertificateKeyPair>(payload));
      case Kind.BAN:
        return control.ban(new TextDecoder().decode(payload), value);
    }
    const session = this.#sessions.get(connection);
    if (!session) return;
    switch (kind) {
      case Kind.OPEN:
        return session.open(stream);
      case Kind.SEND:
        return session.send(stream, payload, frame.flag);
      case Kind.CONSUMED:
        return session.consumed(stream, value);
      case Kind.RESET:
        return session.reset(stream, value);
      case Kind.STOP:
        return session.stop(stream, value);
      case Kind.SEND_DATAGRAM:
        return session.sendDatagram(payload);
      case Kind.TRUST:
        return session.trust();
      case Kind.FINISH:
        return session.finish();
      case Kind.CLOSE:
        this.#sessions.delete(connection);
        return session.close(value, new TextDecoder().decode(payload));
    }
  }
}

/** Events of one session, as frames. */
class FramedEvents implements SessionEvents {
  readonly #out: FrameWriter;
  readonly #id: number;
  readonly #over: () => void;

  constructor(out: FrameWriter, id: number, over: () => void) {
    this.#out = out;
    this.#id = id;
    this.#over = over;
  }

  data(stream: number, bytes: Uint8Array, fin: boolean): void {
    this.#out.write(Kind.DATA, this.#id, stream, 0, bytes, fin);
  }

  peerReset(stream: number, code: number): void {
    this.#out.write(Kind.PEER_RESET, this.#id, stream, code);
  }

  peerStopped(stream: number, code: number): void {
    this.#out.write(Kind.PEER_STOPPED, this.#id, stream, code);
  }

  grant(stream: number, bytes: number): void {
    this.#out.write(Kind.GRANT, this.#id, stream, bytes);
  }

  streamLimit(bidi: number, uni: number): void {
    this.#out.write(Kind.STREAM_LIMIT, this.#id, bidi, uni);
  }

  datagram(message: Uint8Array): void {
    if (this.#out.length > DATAGRAM_BACKLOG) return;
    this.#out.write(Kind.DATAGRAM, this.#id, 0, 0, message);
  }

  path(stats: PathStats): void {
    this.#out.writeJson(Kind.PATH, this.#id, stats);
  }

  ended(info: CloseInfo): void {
    const { error, ...rest } = info;
    const event: EndedEvent = error ? { ...rest, error: { code: error.code, message: error.message } } : rest;
    this.#out.writeJson(Kind.ENDED, this.#id, event);
    this.#over();
  }
}
