/**
 * The script of the console: its parts, one after the other. They share one module scope.
 *
 * @module
 */
import { SCRIPT_BASE } from "./script_base.ts";
import { SCRIPT_FORM } from "./script_form.ts";
import { SCRIPT_OPERATION } from "./script_operation.ts";
import { SCRIPT_PAGE } from "./script_page.ts";

/** The script. */
export const CONSOLE_SCRIPT: string = [SCRIPT_BASE, SCRIPT_FORM, SCRIPT_OPERATION, SCRIPT_PAGE].join("\n");
