/**
 * Somebody who seals whatever they like: what no messenger of ours would send.
 *
 * @module
 */
import { systemBytes } from "@alknet/core/crypto";
import { mailboxClient, messageKeys } from "@alknet/handlers/msg";
import { seal, sizeFor } from "../../../handlers/msg/agreement/ratchet.ts";
import { queueKeys } from "../../../handlers/msg/agreement/bundle.ts";
import { Contacts } from "../../../handlers/msg/store/contacts.ts";
import { MessageStore } from "../../../handlers/msg/store/message_store.ts";
import { Sessions } from "../../../handlers/msg/store/sessions.ts";
import { type Person, stop } from "./people.ts";

/** Seals a content for a contact by the session that sends, and gives it to the mailbox: once for each. */
export async function say(person: Person, name: string, ...contents: readonly Uint8Array[]): Promise<void> {
  using keys = messageKeys(person.secrets);
  using store = new MessageStore(person.file, keys, systemBytes);
  const [contacts, sessions] = [new Contacts(store), new Sessions(store)];
  await using client = mailboxClient({ dial: person.dial });
  const { id, to } = contacts.find("name", name)!;
  for (const content of contents) {
    const envelope = store.transaction(() => {
      const row = sessions.sending(id)!;
      const size = sizeFor(row.session, content.byteLength);
      const sealed = seal(row.session, content, { size, random: systemBytes });
      sessions.put({ ...row, session: sealed.session });
      return sealed.envelope;
    });
    await client.send({ mailbox: to!.mailbox, id: to!.sid, cap: queueKeys(to!.t).scap }, envelope, stop);
  }
}
