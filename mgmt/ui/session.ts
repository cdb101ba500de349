// SPDX-License-Identifier: Apache-2.0
// Who is signed in, and the one way of asking the box. All of it that knows how signing in works is here: the API's token, in
// this page's memory alone, gone when the page is.

export type Refused = "unauthorized" | "unreachable" | "unavailable";
export type Answer<T> = { ok: true; value: T } | { ok: false; why: Refused };

const ASK_MS = 15000;
let token: string | undefined;

export function signedIn(): boolean {
	return token !== undefined;
}

export function signOut(): void {
	token = undefined;
}

/** One question to the box. Never throws; an answer that says "unauthorized" has signed out. */
export async function ask<T>(path: string): Promise<Answer<T>> {
	const asked = token, stop = new AbortController(), timer = setTimeout(() => stop.abort(), ASK_MS);
	try {
		const answer = await fetch(path, {
			headers: { Authorization: "Bearer " + (asked ?? "") },
			cache: "no-store", credentials: "omit", redirect: "error", signal: stop.signal,
		});
		if (answer.status === 401) {
			if (asked === token) signOut();
			return { ok: false, why: "unauthorized" };
		}
		if (!answer.ok) return { ok: false, why: "unavailable" };
		return { ok: true, value: (await answer.json()) as T };
	} catch {
		return { ok: false, why: "unreachable" };
	} finally {
		clearTimeout(timer);
	}
}

/** What the form of signing in holds. The box says by its first answer whether it is right. */
export async function signIn(given: string): Promise<Refused | undefined> {
	// A header takes nothing else; what was copied often has a line end behind it.
	const clean = given.trim();
	if (!/^[\x21-\x7e]+$/.test(clean)) return "unauthorized";
	token = clean;
	const answer = await ask<unknown>("/api/v1/state");
	if (answer.ok) return undefined;
	signOut();
	return answer.why;
}
