// SPDX-License-Identifier: Apache-2.0
// Security keys through the browser's interface (Web Authentication). Nothing is decided here: a
// key's answer goes to the box unchanged.
import type { OwnKey } from "./types";

/** What the box wants signed, and the only site name for which a browser asks a key. */
export interface Challenge {
	challenge: string;
	site: string;
	origin: string;
	seconds: number;
}

/**
 * False when the page is opened by an address instead of the name, or the browser has no security
 * keys.
 */
export const keysWork = (challenge: Challenge): boolean => location.hostname === challenge.site && typeof PublicKeyCredential === "function";

const ES256 = -7, EDDSA = -8;

function bytes(hex: string): Uint8Array {
	return Uint8Array.from(hex.match(/../g) ?? [], (two) => parseInt(two, 16));
}

function base64url(data: ArrayBuffer): string {
	return btoa(String.fromCharCode(...new Uint8Array(data))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

const together = (...parts: ArrayBuffer[]): string => parts.map(base64url).join(".");

/** A key's answer for a login; undefined when its owner refuses, or there is none. */
export async function signWith(c: Challenge): Promise<string | undefined> {
	try {
		const made = await navigator.credentials.get({ publicKey: {
			challenge: bytes(c.challenge), rpId: c.site, userVerification: "required", timeout: c.seconds * 1000 } }) as PublicKeyCredential | null;
		const said = made?.response as AuthenticatorAssertionResponse | undefined;
		return made == null || said === undefined ? undefined : together(made.rawId, said.clientDataJSON, said.authenticatorData, said.signature);
	} catch {
		return undefined;
	}
}

/**
 * A new key's answer. The key stores the account's name, so that a login need not tell which keys
 * exist.
 */
export async function makeKey(c: Challenge, name: string, handle: string, there: OwnKey[]): Promise<string | undefined> {
	try {
		const made = await navigator.credentials.create({ publicKey: {
			challenge: bytes(c.challenge), rp: { id: c.site, name: "Sekisho" }, user: { id: bytes(handle), name, displayName: name },
			pubKeyCredParams: [{ type: "public-key", alg: ES256 }, { type: "public-key", alg: EDDSA }], attestation: "none", timeout: c.seconds * 1000,
			authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
			excludeCredentials: there.map((k) => ({ type: "public-key" as const, id: bytes(k.id) })) } }) as PublicKeyCredential | null;
		const said = made?.response as (AuthenticatorAttestationResponse & { getAuthenticatorData(): ArrayBuffer }) | undefined;
		return said === undefined ? undefined : together(said.clientDataJSON, said.getAuthenticatorData());
	} catch {
		return undefined;
	}
}
