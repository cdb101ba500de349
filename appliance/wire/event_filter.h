/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which events somebody asks for: the last field of MSG_EVENTS, and how the journal reads it. Conditions
 * that are left empty hold for all; those that are given must all hold.
 */
#ifndef SEKISHO_WIRE_EVENT_FILTER_H
#define SEKISHO_WIRE_EVENT_FILTER_H

#include <stdbool.h>

#include "appliance/base/bytes.h"

enum event_filter_key {
	FILTER_SINCE,	 /* a moment in UTC, "2026-11-20T08:10:11" and whatever follows */
	FILTER_CONDUIT,	 /* a name */
	FILTER_VERDICT,	 /* a verdict's word */
	FILTER_ZONE,	 /* of either end: a name */
	FILTER_ASSET,	 /* either end: a name */
	FILTER_HOST,	 /* either end: an address or a prefix */
	FILTER_SEVERITY, /* a word: this one or a graver one */
	FILTER_KIND,	 /* a kind's word */
	FILTER_PROTOCOL, /* a protocol's name, or FILTER_IN_CLEAR */
	FILTER_UNTIL,	 /* a moment as of FILTER_SINCE: before it */
	FILTER_REASON,	 /* a reason's word */
	FILTER_COMMAND, /* any of these, with commas between them: a command's name, its code, a class of commands (read, write, ...) */
	FILTER_VALUE, /* "9", "0-9": a value that was to be written, or one of those that were */
	FILTER_KEYS
};

#define FILTER_IN_CLEAR "in_clear" /* any that is clear text or a remote desktop (PROTO_IN_CLEAR) */
#define FILTER_TEXT 128u	   /* bytes of one, NUL included */

struct event_filter {
	char text[FILTER_KEYS][FILTER_TEXT]; /* "" = any */
};

/* False when the text does not fit. */
bool event_filter_set(struct event_filter *f, enum event_filter_key key, const char *text);
bool event_filter_any(const struct event_filter *f); /* nothing is asked for: all events match */
/* Writes nothing for a filter that is empty. */
void event_filter_encode(const struct event_filter *f, struct outbuf *o);
/* False when the bytes are none that event_filter_encode writes. Takes all of them. */
bool event_filter_decode(struct bytes *b, struct event_filter *ret);

#endif
