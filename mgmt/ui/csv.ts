// SPDX-License-Identifier: Apache-2.0
// Tables as CSV files. The byte order mark makes spreadsheets read Japanese; no cell is read as a
// formula.

/**
 * RFC 4180, 2: lines end in CR LF, a quote is doubled. A cell that a spreadsheet would calculate
 * gets an apostrophe in front.
 */
export function csv(rows: (string | number | null | undefined)[][]): string {
	const cell = (v: string | number | null | undefined): string => {
		const text = String(v ?? "");
		return '"' + (typeof v === "string" && /^[\s]*[=+\-@\t\r]/.test(text) ? "'" + text : text).replace(/"/g, '""') + '"';
	};
	return "\ufeff" + rows.map((row) => row.map(cell).join(",") + "\r\n").join("");
}

/** Saves a file as a download of the browser, which asks for a place or uses its own folder. */
export function save(name: string, type: string, what: BlobPart): void {
	const url = URL.createObjectURL(new Blob([what], { type }));
	const a = document.createElement("a");
	a.href = url;
	a.download = name;
	a.click();
	setTimeout(() => URL.revokeObjectURL(url), 60000);
}
