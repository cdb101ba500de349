// SPDX-License-Identifier: Apache-2.0
// Security keys, by the browser's own interface (Web Authentication). Nothing here decides anything: what a key said goes to the box as it is.
import type { OwnKey } from "./types";

/** What the box wants signed, and the one name under which a browser asks a key at all. */
export interface Challenge {
	challenge: string;
	site: string;
	origin: string;
	seconds: number;
}

/** An address is no name, and a browser without this has no keys. */
export const keysWork = (challenge: Challenge): boolean => location.hostname === challenge.site && typeof PublicKeyCredential === "function";

const ES256 = -7, EDDSA = -8;

function bytes(hex: string): Uint8Array {
	return Uint8Array.from(hex.match(/../g) ?? [], (two) => parseInt(two, 16));
}

function base64url(data: ArrayBuffer): string {
	return btoa(String.fromCharCode(...new Uint8Array(data))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

const together = (...parts: ArrayBuffer[]): string => parts.map(base64url).join(".");

/** What a key says to log in by it; undefined when its bearer would not, or there is none. */
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

/** The same for a new one. It keeps the account's name, so that at a login nobody has to be told which keys there are. */
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
