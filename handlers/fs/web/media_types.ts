/**
 * Media types by the extension of a name, and which of them a browser would run.
 *
 * @module
 */

const TEXT = "; charset=utf-8";
/** What is not known to be anything else. */
export const OCTETS = "application/octet-stream";

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  aac: "audio/aac",
  avif: "image/avif",
  css: `text/css${TEXT}`,
  csv: `text/csv${TEXT}`,
  flac: "audio/flac",
  gif: "image/gif",
  gz: "application/gzip",
  htm: `text/html${TEXT}`,
  html: `text/html${TEXT}`,
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  js: `text/javascript${TEXT}`,
  json: "application/json",
  log: `text/plain${TEXT}`,
  m4a: "audio/mp4",
  md: `text/markdown${TEXT}`,
  mjs: `text/javascript${TEXT}`,
  mov: "video/quicktime",
  mp3: "audio/mpeg",
  mp4: "video/mp4",
  ogg: "audio/ogg",
  opus: "audio/ogg",
  pdf: "application/pdf",
  png: "image/png",
  svg: "image/svg+xml",
  tar: "application/x-tar",
  ts: `text/plain${TEXT}`,
  txt: `text/plain${TEXT}`,
  wasm: "application/wasm",
  wav: "audio/wav",
  webm: "video/webm",
  webp: "image/webp",
  xht: "application/xhtml+xml",
  xhtml: "application/xhtml+xml",
  xml: `application/xml${TEXT}`,
  xsl: `application/xml${TEXT}`,
  zip: "application/zip",
};

/** The media type of a file name. */
export function mediaType(name: string): string {
  const extension = /\.([0-9a-z]+)$/i.exec(name)?.[1].toLowerCase() ?? "";
  return Object.hasOwn(MEDIA_TYPES, extension) ? MEDIA_TYPES[extension] : OCTETS;
}

/** Whether a browser would run or render what others wrote: it is saved instead. */
export function isActive(type: string): boolean {
  return /html|xml|javascript|wasm/.test(type);
}
