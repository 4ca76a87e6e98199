/**
 * Who may call what: scopes, and resources that are owned or granted (call.md §11.2).
 *
 * @module
 */
import type { Identity } from "../../identity/identity.ts";
import type { OwnershipProvider } from "../authoring/authority.ts";
import type { JsonValue } from "../values/json.ts";
import { resourceId } from "../values/resource_id.ts";
import type { AccessControl, OperationSpec } from "../authoring/spec.ts";

/** Whether an operation is open to everyone, those without an identity included. */
export function isUnrestricted(access: AccessControl): boolean {
  return access.required_scopes.length === 0 && access.required_scopes_any === undefined &&
    access.resource_type === undefined && access.resource_action === undefined;
}

/** The resource that an input addresses: its id; `null` where it should be and is not; `undefined` where none is declared. */
export type AddressedResource = string | null | undefined;

/** The resource that an input addresses, by the path that the operation declares. */
export function resourceIdOf({ resource_id_path }: OperationSpec, input: JsonValue): AddressedResource {
  return resource_id_path === undefined ? undefined : resourceId(resource_id_path, input) ?? null;
}

/**
 * Says why access is denied, or nothing when it is allowed. Scopes are compared as they are: no wildcards, no
 * hierarchy.
 *
 * @param identity Who asks; nothing is nobody.
 * @param resource The resource that the input addresses. Where it should be and is not, ownership grants nothing.
 * @param ownership Who owns what. Without it the resources of the identity decide.
 */
export function denial(
  access: AccessControl,
  identity: Identity | undefined,
  resource?: AddressedResource,
  ownership?: OwnershipProvider,
): string | undefined {
  if (isUnrestricted(access)) return undefined;
  if (!identity) return "authentication required";
  const { required_scopes: all, required_scopes_any: any } = access;
  const missing = all.find((scope) => !identity.scopes.includes(scope));
  if (missing !== undefined) return `missing required scope: ${missing}`;
  if (any && !any.some((scope) => identity.scopes.includes(scope))) {
    return `missing required scope (any of: ${any.join(", ")})`;
  }
  const { resource_type: type } = access;
  if (type !== undefined && ownership && resource !== null) {
    return ownershipDenial(type, access.resource_action ?? "", identity, ownership, resource);
  }
  return resourceDenial(access, identity);
}

function ownershipDenial(
  type: string,
  action: string,
  identity: Identity,
  ownership: OwnershipProvider,
  id: string | undefined,
): string | undefined {
  if (id === undefined) return ownership.ownsAny(identity, type) ? undefined : `no owned resources of type: ${type}`;
  return ownership.owns(identity, type, id, action) ? undefined : `not owner of resource: ${type}/${id}`;
}

function resourceDenial(access: AccessControl, { resources }: Identity): string | undefined {
  const { resource_type: type, resource_action: action } = access;
  if (type !== undefined) {
    const actions = Object.hasOwn(resources, type) ? resources[type] : [];
    if (action === undefined) return actions.length > 0 ? undefined : `missing resource: ${type}`;
    return actions.includes(action) ? undefined : `missing resource: ${type}/${action}`;
  }
  if (action === undefined) return undefined;
  const held = Object.values(resources).some((actions) => actions.includes(action));
  return held ? undefined : `missing resource action: ${action}`;
}
