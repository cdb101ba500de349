/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reasons of decisions: one list for counters, NFLOG prefixes, events, JSON, the demo's table
 * and the docs. A reason's dotted word is stable. The texts for people are here too, in
 * both languages.
 */
#ifndef SEKISHO_WIRE_REASON_H
#define SEKISHO_WIRE_REASON_H

enum reason_kind {
	REASON_PASS, /* let through */
	REASON_DENY, /* refused by the policy */
	REASON_BAD,  /* refused because the bytes are wrong or evasive */
	REASON_FAIL, /* decided by a failure decision */
};

#define REASON(id, word, kind, en, ja) id,
enum reason {
#include "appliance/wire/reason.def"
	REASON_COUNT
};
#undef REASON

/* "modbus.write_not_allowed" style; "unknown" for bad values */
const char *reason_word(enum reason r);
enum reason_kind reason_kind(enum reason r);
const char *reason_text(enum reason r, const char *lang); /* lang "ja" or "en" */
enum reason reason_by_word(const char *word);		  /* REASON_COUNT when unknown */

#endif
