/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command tables: what the compiler produces for each permit and what a worker judges PDUs with.
 *
 * A table image is one block of bytes with a SHA-256 digest. Workers acknowledge the digest, and
 * `verify` compares it. The image lists permits. Each permit has grants, one per conduit and
 * service that apply there; a grant names its conduit. Each grant has rows, which evaluate.h reads.
 * The image is decoded once into flat arrays in memory that the caller provides; lookups allocate
 * nothing.
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

/* A list of ranges in the table's pool, sorted and disjoint. `any`: all numbers; n == 0 without
 * `any`: no number. */
struct number_set {
	bool any;
	uint32_t first; /* index into command_table.ranges */
	uint32_t n;
};

/* The addresses of one space that a row allows. */
struct space_set {
	uint8_t space;		   /* number in the protocol's vocabulary */
	struct number_set numbers; /* never empty */
};

struct command_row {
	struct number_set services;
	/* `any`: the row names no target; it then refuses targets that stand for several devices
	 * (broadcast) */
	struct number_set targets[TARGET_MAX];
	struct number_set values; /* limits of written values */
	bool spaces_any;	  /* no address space was named: every address of every space */
	/* index into command_table.spaces of the first space with addresses; sorted */
	uint32_t first_space;
	uint32_t n_spaces;
	uint32_t line; /* policy line of the row, for reasons and events */
	uint32_t file; /* file of that line: index into the generation's sources */
};

struct command_grant {
	uint32_t conduit;  /* index into the generation's conduits */
	uint32_t line;	   /* policy line of the conduit */
	uint16_t protocol; /* enum protocol */
	bool whole;	   /* the whole protocol: rows are not consulted */
	/* the grant of a conduit that only observes, where others enforce: what it would refuse is
	 * recorded, but it allows nothing */
	bool shadow;
	uint8_t lenient;	  /* LENIENT_*: the deviations that are forgiven in answers */
	uint32_t undecided_bytes; /* bytes that a flow may carry before its protocol is known */
	uint32_t first_row;
	uint32_t n_rows;
	uint32_t first_name; /* index of the grant's list of names in command_table.names */
	/* bytes of that list; 0 = the grant declares no names, so every name is right */
	uint32_t n_names;
};

struct command_permit {
	uint32_t permit; /* the box's permit id (1..PERMIT_MAX) */
	uint32_t lane;
	/* the permit only observes: refusals are recorded, but nothing is stopped */
	bool observe;
	uint8_t midstream; /* enum midstream */
	/* a TLS session ends if the server chooses weak TLS, or if its choice was not seen */
	bool deny_weak_tls;
	/* server ports of the permit, TCP and UDP. They show which end is the server when the
	 * beginning of a session was not seen */
	struct number_set ports;
	uint32_t first_grant; /* permits may share grants */
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

#define COMMANDS_VERSION 1u /* version of table images; images of other versions are refused */

/* Largest table of one generation, in bytes of its image and in memory. Workers hold the tables of
 * two generations while the kernel changes over. */
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
 * Decodes an image into `memory` (aligned to 16, `size` bytes), checking every index and order. The
 * digest is computed from the image. False when malformed or too large; *ret is then empty and
 * denies everything.
 */
bool commands_decode(struct bytes image, void *memory, size_t size, struct command_table *ret);
/* Finds a permit in O(log n). NULL when it is unknown: the packet is then dropped. */
const struct command_permit *commands_permit(const struct command_table *t, uint32_t permit);
/* The addresses of this space that the row allows; NULL when it allows none. */
const struct number_set *row_space(const struct command_table *t, const struct command_row *row, uint8_t space);
/* Whether one of several ranges holds `value`. */
bool number_in_some(const struct command_table *t, const struct number_set *s, uint64_t value);

/*
 * Names of TLS servers that a conduit declares. Each is a byte with its length, and the name in
 * lower case; "*." in front stands for any one label. Sorted by their bytes, so that equal lists
 * are equal; at most NAMES_MAX of at most NAME_BYTES.
 */
#define NAMES_MAX 64u
#define NAME_BYTES 127u
/* The list of a grant; empty: it declares none. */
struct bytes grant_names(const struct command_table *t, const struct command_grant *g);
/* Takes the next name off the list; false: there is none. */
bool names_next(struct bytes *list, struct bytes *ret);
/* Whether these bytes are a list of names in this form. */
bool names_hold(struct bytes list);
/* Whether the list has `name`; case does not matter. */
bool names_declare(struct bytes list, const char *name);

/* Inline, because it is called several times for every operation, mostly with one range. */
static inline bool number_in(const struct command_table *t, const struct number_set *s, uint64_t value)
{
	const struct number_range *r = t->ranges + s->first;

	if (s->any || s->n != 1)
		return s->any || (s->n > 0 && number_in_some(t, s, value));
	return value >= r->lo && value <= r->hi;
}

/* Whether every number of lo..hi is in the set, possibly across several touching ranges. Ranges are
 * sorted and disjoint. */
bool number_covers(const struct command_table *t, const struct number_set *s, uint64_t lo, uint64_t hi);

#endif
