// SPDX-License-Identifier: Apache-2.0
// Who is signed in, and the only way to ask the box. Everything about signing in is here: a person
// has an account and a session in a cookie that no script can read. A token is in this page's
// memory only and gone with the page.
import type { Lang, OwnKey } from "./types";

// ---- security keys ------------------------------------------------------------------------------

// Security keys through the browser's interface (Web Authentication). Nothing is decided here: a
// key's answer goes to the box unchanged.

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
async function signWith(c: Challenge): Promise<string | undefined> {
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

export type Refused = "unauthorized" | "another_time" | "forbidden" | "wrong" | "unreachable" | "unavailable" | "no_key" | "not_here";
// said: the box's text about an invalid question
export type Answer<T> = { ok: true; value: T } | { ok: false; why: Refused; said?: unknown };

type Who = { token: string; display: boolean } | { name: string; roles: string[]; rights: string[]; choose: boolean; leaked: boolean };
/** What the box tells about the person who is signed in. */
export interface Person {
	name: string;
	roles: string[];
	rights: string[];
	two_persons: boolean;
	choose_passphrase: boolean;
	passphrase_leaked?: boolean;
}

const ASK_MS = 15000, ORDER_MS = 90000, AGAIN_MS = 1000;
let who: Who | undefined;
let again = 0, told: () => void = () => undefined;

/** Whether a question is being repeated because it did not reach the box. The page shows that. */
export const tryingAgain = (): boolean => again > 0;

export function watchTrying(changed: () => void): void {
	told = changed;
}

function count(step: number): void {
	again += step;
	told();
}

export function signedIn(): boolean {
	return who !== undefined;
}

const leavers: (() => void)[] = [];

/** `forget` is called before another person signs in, who must not see what was shown before. */
export function whenLeft(forget: () => void): void {
	leavers.push(forget);
}

export function forgetAll(): void {
	for (const forget of leavers) forget();
}

/**
 * Whether this is a display: a token that sees the state without names of persons, and nothing
 * else. The browser keeps it, so that the page shows the state again after a power cut.
 */
export const displays = (): boolean => who !== undefined && "token" in who && who.display;
const KEPT = "display";

/** The account's name; "" for a token, or for nobody. */
export function person(): string {
	return who !== undefined && "name" in who ? who.name : "";
}

/**
 * The passphrase was handed out or is leaked: the person has to choose another before anything
 * else.
 */
export function mustChoose(): boolean {
	return who !== undefined && "name" in who && who.choose;
}

/** The passphrase is on the list of leaked ones. */
export function isLeaked(): boolean {
	return who !== undefined && "name" in who && who.leaked;
}

/** A right at the time of signing in; the box checks it each time. */
export function mayDo(right: string): boolean {
	return who !== undefined && "name" in who && who.rights.includes(right);
}

/** A role at the time of signing in. */
export function plays(role: string): boolean {
	return who !== undefined && "name" in who && who.roles.includes(role);
}

const asPerson = (p: Person): Who => ({ name: p.name, roles: p.roles, rights: p.rights, choose: p.choose_passphrase, leaked: p.passphrase_leaked === true });

/**
 * A question that did not arrive, for instance because the address has all of its connections, or
 * that the box is too slow or too busy for, is repeated within its time. An order is not repeated,
 * because it may have arrived.
 */
async function arrived(path: string, init: RequestInit & { signal: AbortSignal }): Promise<Response> {
	const once = init.method !== undefined;
	let answer: Response | undefined;
	for (let lost = false; ; lost = true) {
		let failed: unknown;
		try {
			answer = await fetch(path, init);
		} catch (e) {
			failed = e;
		}
		const over = once || init.signal.aborted || failed === undefined && answer?.headers.has("Retry-After") !== true;
		if (lost === over) count(over ? -1 : 1);
		if (over && answer !== undefined) return answer;
		if (over) throw failed;
		await new Promise((done) => setTimeout(done, AGAIN_MS));
	}
}

/** For a login: the passphrase was right, and the code was too old or too new. */
const toldTime = async (answer: Response): Promise<boolean> => ((await answer.json().catch(() => ({}))) as { another_time?: boolean }).another_time === true;

async function send<T>(path: string, init: RequestInit, read: (answer: Response) => Promise<T> = async (answer) => (await answer.json()) as T,
	most = ASK_MS, until?: AbortSignal): Promise<Answer<T>> {
	const stop = new AbortController(), timer = setTimeout(() => stop.abort(), most);
	until?.addEventListener("abort", () => stop.abort());
	try {
		const answer = await arrived(path, { ...init, cache: "no-store", redirect: "error", signal: stop.signal });
		if (answer.status === 401) return { ok: false, why: await toldTime(answer) ? "another_time" : "unauthorized" };
		if (answer.status === 403) return { ok: false, why: "forbidden" };
		if (answer.status === 400) return { ok: false, why: "wrong", said: await answer.json().catch(() => undefined) as unknown };
		// A refused order is answered like one that was carried out: by the box's JSON.
		if (!answer.ok && answer.status !== 409 && answer.status !== 422) return { ok: false, why: "unavailable" };
		return { ok: true, value: await read(answer) };
	} catch {
		return { ok: false, why: "unreachable" };
	} finally {
		clearTimeout(timer);
	}
}

/** The number by which the stream reports on the question. */
const numbered = (number?: number): Record<string, string> => (number === undefined ? {} : { "Sekisho-Ask": String(number) });

const post = <T>(path: string, body: unknown, most = ASK_MS, until?: AbortSignal, number?: number): Promise<Answer<T>> =>
	send<T>(path, { method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json", ...numbered(number) }, body: JSON.stringify(body) }, undefined, most, until);

const bearing = (token: string): RequestInit => ({ credentials: "omit", headers: { Authorization: "Bearer " + token } });

/** How the present person or program asks. */
const asking = (): RequestInit => (who !== undefined && "token" in who ? bearing(who.token) : { credentials: "same-origin" });

/** Whoever the box does not know is signed out. */
function known(why: Refused, asked: Who | undefined): Refused {
	if (why === "unauthorized" && asked === who) who = undefined;
	return why;
}

/**
 * One question to the box. Never throws; an answer "unauthorized" signs out. `until`: aborts the
 * wait.
 */
export async function ask<T>(path: string, until?: AbortSignal, number?: number): Promise<Answer<T>> {
	const asked = who, init = asking();
	const answer = await send<T>(path, { ...init, headers: { ...(init.headers as Record<string, string> | undefined), ...numbered(number) } }, undefined, ASK_MS, until);
	if (!answer.ok) known(answer.why, asked);
	return answer;
}

/** An order about the draft or the policy in force; its answer tells whether it was done. */
export const order = <T>(body: Record<string, unknown>, until?: AbortSignal, number?: number): Promise<Answer<T>> => post<T>("/api/v1/change", body, ORDER_MS, until, number);

/** An order about records (a signed review, a hold), devices, or alarms of attacks. */
export const orderRecords = <T>(body: Record<string, unknown>): Promise<Answer<T>> => post<T>("/api/v1/records", body);

/** An order about another person's account. */
export const orderAccount = <T>(body: Record<string, unknown>): Promise<Answer<T>> => post<T>("/api/v1/account", body);

/** Changes the person's own passphrase; then asks for his rights again. */
export async function changePassphrase(password: string, next: string): Promise<Answer<{ done: boolean; error?: Record<Lang, string> }>> {
	const answer = await post<{ done: boolean; error?: Record<Lang, string> }>("/api/v1/passphrase", { password, new: next });
	if (answer.ok && answer.value.done) await resume();
	return answer;
}

/**
 * A picture drawn by the box: as an address inside this page, which the caller revokes, and as
 * text.
 */
export async function askPicture(path: string): Promise<Answer<{ url: string; text: string }>> {
	return send(path, asking(), async (answer) => {
		const bytes = await answer.arrayBuffer();
		return { url: URL.createObjectURL(new Blob([bytes], { type: "image/svg+xml" })), text: new TextDecoder().decode(bytes) };
	});
}

/**
 * A file that the box takes a while to make. It is read as bytes: as a text it would lose its byte
 * order mark, by which a spreadsheet knows the encoding.
 */
export const askFile = (path: string, until?: AbortSignal): Promise<Answer<Blob>> => send(path, asking(), (answer) => answer.blob(), ORDER_MS, until);

/**
 * Calls `each` for the complete events in a text. Returns the rest, which is an incomplete event.
 */
function events(text: string, each: (kind: string, data: string, id: string) => void): string {
	const blocks = text.split("\n\n"), rest = blocks.pop() ?? "";
	for (const block of blocks) {
		const fields = new Map(block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
		each(fields.get("event") ?? "", fields.get("data") ?? "", fields.get("id") ?? "");
	}
	return rest;
}

/**
 * Reads a stream of server-sent events to its end, and returns the reason. The browser's
 * EventSource cannot send a token, does not tell why it was refused, and then gives up for good. An
 * event "end" means that the session is over.
 */
export async function listen(path: string, last: string, stop: AbortSignal, each: (kind: string, data: string, id: string) => void): Promise<Refused> {
	const asked = who, init = asking(), headers = { ...(init.headers as Record<string, string> | undefined), ...(last !== "" ? { "Last-Event-ID": last } : {}) };
	try {
		const answer = await fetch(path, { ...init, headers, cache: "no-store", redirect: "error", signal: stop });
		if (answer.status === 401) return known("unauthorized", asked);
		if (answer.status === 403) return "forbidden";
		if (!answer.ok || answer.body === null) return "unavailable";
		const reader = answer.body.getReader(), decoder = new TextDecoder();
		let text = "", over = false;
		for (let part = await reader.read(); !part.done && !over; part = await reader.read())
			text = events(text + decoder.decode(part.value, { stream: true }), (kind, data, id) => {
				if (kind === "end") over = true;
				else each(kind, data, id);
			});
		if (!over) return "unreachable";
		// A person whose passphrase turns out to be leaked keeps a session that can only
		// choose another.
		await resume();
		return who === asked ? known("unauthorized", asked) : mustChoose() ? "forbidden" : "unreachable";
	} catch {
		return "unreachable";
	}
}

/** Tells the box that somebody uses the page, because showing updates does not count as use. */
export function touch(): void {
	if (who !== undefined && "name" in who) void ask("/api/v1/me");
}

/** Whether this browser has a session already, from another page or from before a reload. */
export async function resume(): Promise<void> {
	const kept = localStorage.getItem(KEPT);
	if (who === undefined && kept !== null) who = { token: kept, display: true };
	if (displays()) return;
	const answer = await send<Person>("/api/v1/me", { credentials: "same-origin" });
	if (answer.ok && (who === undefined || "name" in who)) who = asPerson(answer.value);
}

export async function logIn(name: string, password: string, code: string): Promise<Refused | undefined> {
	const answer = await post<Person>("/api/v1/login", { name: name.trim(), password, code: code.replace(/\s/g, "") });
	if (!answer.ok) return answer.why;
	who = asPerson(answer.value);
	return undefined;
}

/** Signs in with the client certificate of the connection instead of a code. The box has already
 * seen it. */
export async function logInByCertificate(name: string, password: string): Promise<Refused | undefined> {
	const answer = await post<Person>("/api/v1/login", { name: name.trim(), password, certificate: true });
	if (!answer.ok) return answer.why;
	who = asPerson(answer.value);
	return undefined;
}

/** Signs in with a security key instead of a code: first asks what the box wants signed. */
export async function logInByKey(name: string, password: string): Promise<Refused | undefined> {
	const c = await send<Challenge>("/api/v1/challenge", { credentials: "omit" });
	if (!c.ok) return c.why;
	if (!keysWork(c.value)) return "not_here";
	const key = await signWith(c.value);
	if (key === undefined) return "no_key";
	const answer = await post<Person>("/api/v1/login", { name: name.trim(), password, key });
	if (!answer.ok) return answer.why;
	who = asPerson(answer.value);
	return undefined;
}

/** Adds or removes one of the person's keys; the box gives the reason of a refusal. */
export const changeKey = (order: "add" | "remove", label: string, password: string, key?: string): Promise<Answer<{ totp: boolean; keys: OwnKey[] } | { error: Record<Lang, string> }>> =>
	post("/api/v1/key", key === undefined ? { order, label, password } : { order, label, password, key });

/**
 * Signs in with the token from the form. The box's first answer tells whether it is valid; until
 * then nobody is signed in.
 */
export async function useToken(given: string): Promise<Refused | undefined> {
	// Copied text often ends with a line break, which a header does not accept.
	const clean = given.trim();
	if (!/^[\x21-\x7e]+$/.test(clean)) return "unauthorized";
	const answer = await send<unknown>("/api/v1/state", bearing(clean)), display = !answer.ok && answer.why === "forbidden";
	if (!answer.ok && !display) return answer.why;
	who = { token: clean, display };
	if (display) localStorage.setItem(KEPT, clean);
	return undefined;
}

/**
 * Ends the session at the box too; if the box does not hear it, the session ends there after a time
 * without use.
 */
export function signOut(): void {
	const was = who;
	if (displays()) localStorage.removeItem(KEPT);
	who = undefined;
	if (was !== undefined && "name" in was) void post("/api/v1/logout", {});
}
