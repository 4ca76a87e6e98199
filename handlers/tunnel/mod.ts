/**
 * Tunnels over `alknet/ssh`: local, remote and dynamic forwarding (RFC 4254 §7), as `ssh -L`, `-R` and `-D` do it.
 *
 * Participants: this end, which listens and connects for local programs, and an SSH server that does the same at the far
 * side, as far as it allows. Messages: those of SSH. Nothing is stored.
 *
 * - {@linkcode openTunnel}: over one connection, until it ends.
 * - {@linkcode keepTunnel}: dials again whenever the connection is lost.
 *
 * @module
 */
export { type Forward, parseDynamic, parseForward, type Place, placeText } from "./forward.ts";
export { keepTunnel, type KeepTunnelOptions, type KeptTunnelEvent, type OpenTunnel, openTunnel } from "./keep.ts";
export { ChannelRefused, type OnForwarded, type SshLogin, SshSession } from "./ssh_session.ts";
export { Tunnel, type TunnelEvent, type TunnelForwards, type TunnelOptions, type TunnelStats } from "./tunnel.ts";
