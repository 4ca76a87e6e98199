/**
 * Finding an adapter of WebGPU, and opening a device of it: the one place where that is done.
 *
 * @module
 */

/** What a device is for. */
export type DeviceIntent = "compute" | { readonly render: SurfaceInfo };

/** What a desktop consumer knows of its surface. The runtime hands it on, and never touches a surface itself. */
export interface SurfaceInfo {
  /** Members of the request of the adapter, as `compatibleSurface`. */
  readonly request: Readonly<Record<string, unknown>>;
}

/** Which device. */
export interface DeviceOptions {
  /** Default `compute`: no surface is asked for, and only limits of computing are raised. */
  readonly intent?: DeviceIntent;
  /** Default `high-performance`. */
  readonly power?: GPUPowerPreference;
  /** Features to have where the adapter has them, as `shader-f16`. Default: none. */
  readonly features?: readonly GPUFeatureName[];
  /** Names of limits that are raised to what the adapter gives. Default: those of the intent. */
  readonly limits?: readonly (keyof GPUSupportedLimits)[];
  /** Whether an adapter that is made of software will do. Default `true`. */
  readonly allowFallback?: boolean;
}

/** What is known of an adapter and of the device that was opened on it. */
export interface DeviceInfo {
  /** What it is called, for people. */
  readonly name: string;
  /** Who made it, as far as it says. */
  readonly vendor: string;
  /** Its family, as far as it says. */
  readonly architecture: string;
  /** It says itself that it is made of software. */
  readonly fallback: boolean;
  /** Features that the device has. */
  readonly features: readonly string[];
  /** Features that were asked for and are not there. */
  readonly missing: readonly string[];
  /** Limits of the device that were raised, as they are now. */
  readonly limits: Readonly<Record<string, number>>;
}

/** A device, and what is known of it. */
export interface OpenDevice {
  /** The device. Whoever opened it destroys it. */
  readonly device: GPUDevice;
  /** What is known of it. */
  readonly info: DeviceInfo;
}

const COMPUTE_LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxUniformBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupSizeZ",
  "maxComputeWorkgroupsPerDimension",
] as const;
const RENDER_LIMITS = [...COMPUTE_LIMITS, "maxTextureDimension2D", "maxColorAttachments"] as const;

/**
 * Opens a device that is the caller's alone; one that is shared is had from `acquireDevice`.
 *
 * @returns Nothing where there is no adapter, or none that will do.
 */
export async function openDevice(options: DeviceOptions = {}): Promise<OpenDevice | undefined> {
  const { intent = "compute", power = "high-performance", features = [], allowFallback = true } = options;
  const surface = intent === "compute" ? {} : intent.render.request;
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: power, ...surface });
  if (!adapter || (!allowFallback && adapter.info.isFallbackAdapter)) return undefined;
  const raised = options.limits ?? (intent === "compute" ? COMPUTE_LIMITS : RENDER_LIMITS);
  const present = features.filter((feature) => adapter.features.has(feature));
  const device = await adapter.requestDevice({
    requiredFeatures: present,
    requiredLimits: Object.fromEntries(raised.map((name) => [name, Number(adapter.limits[name])])),
  });
  const { description, vendor, architecture, isFallbackAdapter } = adapter.info;
  const info: DeviceInfo = {
    name: description || `${vendor} ${architecture}`.trim() || "WebGPU",
    vendor,
    architecture,
    fallback: isFallbackAdapter,
    features: [...device.features as unknown as Iterable<string>].sort(),
    missing: features.filter((feature) => !adapter.features.has(feature)),
    limits: Object.fromEntries(raised.map((name) => [name, Number(device.limits[name])])),
  };
  return { device, info };
}
