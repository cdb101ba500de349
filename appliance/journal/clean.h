/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conduits that only observe: since when they have had their present rows, and what they would have
 * refused since then. This shows a person for how long a conduit would have refused nothing, before
 * it is made to enforce. Journal role only; kept in the file `clean` beside the records. When the
 * rows change, the time begins anew. Time without a watch, because no journal ran, records were
 * lost or packets passed uninspected, is stored as a span and does not count as clean.
 */
#ifndef SEKISHO_JOURNAL_CLEAN_H
#define SEKISHO_JOURNAL_CLEAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/spans.h"

#define CLEAN_NAME 65u /* bytes of a conduit's name, with the NUL */
/* reasons that are counted separately, the first ones that came; others are only added up */
#define CLEAN_KINDS 4u
#define CLEAN_BYTES (16u << 20) /* largest size of the file in bytes */

struct clean_kind {
	uint16_t reason; /* enum reason */
	uint64_t count;
};

struct clean_conduit {
	uint8_t name[CLEAN_NAME];
	uint8_t meaning[32];	    /* digest of the conduit's rows */
	uint64_t since_ns, last_ns; /* wall; 0 = never */
	uint64_t count;
	struct clean_kind kinds[CLEAN_KINDS];
};

/* Start from zero bytes. */
struct clean {
	struct clean_conduit *list; /* owned; by name */
	size_t n;
	struct spans gaps;
	uint64_t alive_ns; /* wall ns until which the conduits were watched */
	bool changed;
};

void clean_free(struct clean *c);
/* Sets the conduits that observe from now on. Takes the list, in any order; only names and meanings
 * in it are used. */
void clean_rule(struct clean *c, struct clean_conduit *list, size_t n, uint64_t now_ns);
/* Notes that `count` requests would have been refused. */
void clean_see(struct clean *c, const char *conduit, uint16_t reason, uint64_t count, uint64_t at_ns);
/* {"CONDUIT": {"since", "last", "would_refuse", "reasons", "unwatched", "clean_s"}} */
json_t *clean_json(const struct clean *c, uint64_t now_ns);
/* The bytes of the file, owned by the caller; NULL = no memory. */
uint8_t *clean_put(const struct clean *c, size_t *ret_n);
/* False: clean_put does not write such bytes; *ret is then empty. */
bool clean_take(const uint8_t *p, size_t n, struct clean *ret);

#endif
