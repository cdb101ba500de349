// SPDX-License-Identifier: Apache-2.0
// The difference of two texts by lines, with as few removed and added lines as possible (Myers
// 1986, "An O(ND) Difference Algorithm", greedy, section 2).

export interface Line {
	change: "same" | "removed" | "added";
	text: string;
	at: number; // line number: in the new text; for a removed line in the old one
}

const MOST = 400; // lines that may differ; beyond that the texts are shown one after the other

/** For each number of steps, how far each diagonal came; undefined when too much differs. */
function trace(a: string[], b: string[]): Map<number, number>[] | undefined {
	const steps: Map<number, number>[] = [];
	let reached = new Map<number, number>([[1, 0]]);
	for (let d = 0; d <= Math.min(a.length + b.length, MOST); d++) {
		steps.push(new Map(reached));
		const next = new Map(reached);
		for (let k = -d; k <= d; k += 2) {
			const down = k === -d || (k !== d && (next.get(k - 1) ?? -1) < (next.get(k + 1) ?? -1));
			let x = down ? (next.get(k + 1) ?? 0) : (next.get(k - 1) ?? 0) + 1, y = x - k;
			while (x < a.length && y < b.length && a[x] === b[y]) {
				x++;
				y++;
			}
			next.set(k, x);
			if (x >= a.length && y >= b.length) return steps;
		}
		reached = next;
	}
	return undefined;
}

function back(a: string[], b: string[], steps: Map<number, number>[], first: number): Line[] {
	const list: Line[] = [];
	let x = a.length, y = b.length;
	for (let d = steps.length - 1; d >= 0; d--) {
		const reached = steps[d] as Map<number, number>, k = x - y;
		const down = k === -d || (k !== d && (reached.get(k - 1) ?? -1) < (reached.get(k + 1) ?? -1));
		const from = down ? k + 1 : k - 1, fromX = reached.get(from) ?? 0, fromY = fromX - from;
		while (x > fromX && y > fromY && x > 0 && y > 0) {
			list.push({ change: "same", text: b[y - 1] as string, at: first + y });
			x--;
			y--;
		}
		if (d > 0) list.push(down ? { change: "added", text: b[y - 1] as string, at: first + y } : { change: "removed", text: a[x - 1] as string, at: first + x });
		if (down) y--;
		else x--;
	}
	return list.reverse();
}

/** All lines of both in order. The common beginning and end are not compared further. */
export function difference(before: string, after: string): Line[] {
	const a = before.split("\n"), b = after.split("\n");
	let head = 0, tail = 0;
	while (head < a.length && head < b.length && a[head] === b[head]) head++;
	while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
	const oldPart = a.slice(head, a.length - tail), newPart = b.slice(head, b.length - tail), steps = trace(oldPart, newPart);
	const middle: Line[] = steps !== undefined ? back(oldPart, newPart, steps, head) : [
		...oldPart.map((text, i): Line => ({ change: "removed", text, at: head + i + 1 })), ...newPart.map((text, i): Line => ({ change: "added", text, at: head + i + 1 }))];
	return [...b.slice(0, head).map((text, i): Line => ({ change: "same", text, at: i + 1 })), ...middle,
		...b.slice(b.length - tail).map((text, i): Line => ({ change: "same", text, at: b.length - tail + i + 1 }))];
}

/** The differences with `around` lines of context; null stands for lines that are left out. */
export function hunks(list: Line[], around: number): (Line | null)[] {
	const shown: (Line | null)[] = [];
	let last = -1;
	list.forEach((line, i) => {
		if (!list.slice(Math.max(0, i - around), i + around + 1).some((l) => l.change !== "same")) return;
		if (i > last + 1) shown.push(null);
		shown.push(line);
		last = i;
	});
	if (last >= 0 && last < list.length - 1) shown.push(null);
	return shown;
}
