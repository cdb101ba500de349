/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command tables: what the compiler produces for each permit and what a worker judges PDUs with.
 *
 * A table image is one block of bytes with a SHA-256 digest; workers acknowledge the digest, `verify` compares it.
 * Inside: permits, each with grants (one per conduit and service that apply there), each with rows, which evaluate.h reads; the
 * grant names the conduit. The image is decoded once into
 * flat arrays in memory that the caller provides; lookups allocate nothing.
 */
#ifndef SEKISHO_WIRE_COMMANDS_H
#define SEKISHO_WIRE_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/wire/lane.h"
#include "appliance/wire/protocols.h"
#include "appliance/wire/vocabulary.h"

struct number_range {
	uint64_t lo; /* inclusive */
	uint64_t hi; /* inclusive */
};

/* A list of ranges in the table's pool, sorted and apart. `any` means no restriction; n == 0 without `any` means nothing. */
struct number_set {
	bool any;
	uint32_t first; /* index into command_table.ranges */
	uint32_t n;
};

/* The addresses of one space that a row allows. */
struct space_set {
	uint8_t space;		   /* of the protocol's vocabulary */
	struct number_set numbers; /* never empty */
};

struct command_row {
	struct number_set services;
	struct number_set
		targets[TARGET_MAX]; /* `any`: the policy names none, and what stands for more than itself is refused */
	struct number_set values;    /* written ones */
	bool spaces_any;	     /* no address space was named: every address of every space */
	uint32_t first_space;	     /* index into command_table.spaces: those with addresses, sorted */
	uint32_t n_spaces;
	uint32_t line; /* policy line of the row, for reasons and events */
	uint32_t file; /* where that line stands: index into the generation's sources */
};

struct command_grant {
	uint32_t conduit;	  /* index into the generation's conduits */
	uint32_t line;		  /* policy line of the conduit */
	uint16_t protocol;	  /* enum protocol */
	bool whole;		  /* the whole protocol: rows are not consulted */
	bool shadow;		  /* of an observe conduit on an enforced cell: recorded, never allows */
	uint8_t lenient;	  /* LENIENT_*: what answers may get wrong */
	uint32_t undecided_bytes; /* what a flow may pass before its protocol is known */
	uint32_t first_row;
	uint32_t n_rows;
	uint32_t first_name; /* of its list in command_table.names */
	uint32_t n_names;    /* bytes of that; 0 = it declares none, and every name is as good */
};

struct command_permit {
	uint32_t permit; /* the box's permit id (1..PERMIT_MAX) */
	uint32_t lane;
	bool observe;	    /* record, stop nothing */
	uint8_t midstream;  /* enum midstream */
	bool deny_weak_tls; /* a session of TLS whose server chooses what is weak, or whose choice nobody saw, ends */
	struct number_set
		ports; /* server ports of its TCP and UDP cells: tells the direction of a session met half-way */
	uint32_t first_grant;
	uint32_t n_grants;
};

/* Arrays are sorted by permit id; all memory belongs to whoever called commands_decode. */
struct command_table {
	struct command_permit *permits;
	uint32_t n_permits;
	struct command_grant *grants;
	uint32_t n_grants;
	struct command_row *rows;
	uint32_t n_rows;
	struct space_set *spaces;
	uint32_t n_spaces;
	struct number_range *ranges;
	uint32_t n_ranges;
	uint8_t *names; /* lists of server names, see names_declare */
	uint32_t n_names;
	uint8_t digest[32]; /* SHA-256 of the image */
};

#define COMMANDS_VERSION 1u /* of images; no other is read */

/* Largest table of one generation, as bytes of its image and in memory. Workers hold two generations' at once while the
 * kernel changes over. */
#define COMMANDS_TABLE_MAX (4u << 20)

/* Memory that a decoded `t` takes. */
size_t commands_memory(const struct command_table *t);
/* Bytes that commands_encode needs at most for `t`. */
size_t commands_size(const struct command_table *t);
/* Canonical: equal tables give equal bytes. False when `out` is too small. */
bool commands_encode(const struct command_table *t, struct outbuf *out);
/* Memory that is always enough to decode an image of this many bytes. */
#define COMMANDS_MEMORY(image_bytes) (2u * (size_t)(image_bytes) + 256u)
/*
 * Decodes an image into `memory` (aligned to 16, `size` bytes), checking every index and order. The digest is computed
 * from the image. False when malformed or too large; *ret is then empty and denies everything.
 */
bool commands_decode(struct bytes image, void *memory, size_t size, struct command_table *ret);
/* NULL when the permit is unknown: the packet is dropped. O(log n). */
const struct command_permit *commands_permit(const struct command_table *t, uint32_t permit);
/* The addresses of this space that the row allows; NULL: none. */
const struct number_set *row_space(const struct command_table *t, const struct command_row *row, uint8_t space);
/* Some range of several holds `value`. */
bool number_in_some(const struct command_table *t, const struct number_set *s, uint64_t value);

/*
 * Names of TLS servers that a conduit declares: each is a byte, how many follow, and those: lower case, "*." before it for any one label there. Sorted
 * by their bytes, so that equal lists are equal; at most NAMES_MAX of at most NAME_BYTES.
 */
#define NAMES_MAX 64u
#define NAME_BYTES 127u
/* The list of a grant; empty: it declares none. */
struct bytes grant_names(const struct command_table *t, const struct command_grant *g);
/* Takes the next one off a list; false: there is none. */
bool names_next(struct bytes *list, struct bytes *ret);
/* It is such a list. */
bool names_hold(struct bytes list);
/* `name` is one of them, whatever its case. */
bool names_declare(struct bytes list, const char *name);

/* In place, because every operation asks it several times, and mostly of one range. */
static inline bool number_in(const struct command_table *t, const struct number_set *s, uint64_t value)
{
	const struct number_range *r = t->ranges + s->first;

	if (s->any || s->n != 1)
		return s->any || (s->n > 0 && number_in_some(t, s, value));
	return value >= r->lo && value <= r->hi;
}

/* Every number of lo..hi is inside, possibly across several touching ranges. Ranges are sorted and disjoint. */
bool number_covers(const struct command_table *t, const struct number_set *s, uint64_t lo, uint64_t hi);

#endif
