/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which events a question asks for: the last field of MSG_EVENTS. An event has to match all
 * conditions that are not empty.
 */
#ifndef SEKISHO_WIRE_FILTER_H
#define SEKISHO_WIRE_FILTER_H

#include <stdbool.h>

#include "appliance/base/bytes.h"

enum event_filter_key {
#define FILTER(id, ...) id,
#include "appliance/wire/filter.def"
	FILTER_KEYS
};

/* any protocol in clear text, or remote desktop (PROTO_IN_CLEAR) */
#define FILTER_IN_CLEAR "in_clear"
#define FILTER_TEXT 128u /* bytes of a condition, NUL included */

struct event_filter {
	char text[FILTER_KEYS][FILTER_TEXT]; /* "" = any */
};

/* False when the text does not fit. */
bool event_filter_set(struct event_filter *f, enum event_filter_key key, const char *text);
/* true when no condition is set: all events match */
bool event_filter_any(const struct event_filter *f);
/* Writes nothing for a filter that is empty. */
void event_filter_encode(const struct event_filter *f, struct outbuf *o);
/* False when event_filter_encode does not write such bytes. Reads to the end of `b`. */
bool event_filter_decode(struct bytes *b, struct event_filter *ret);

#endif
