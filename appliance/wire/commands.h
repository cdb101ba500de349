/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command tables: what the compiler produces for each permit and what a worker judges PDUs with.
 *
 * A table image is one block of bytes with a SHA-256 digest; workers acknowledge the digest, `verify` compares it.
 * Inside: permits, each with grants (one per conduit and service that apply there), each with rows. A PDU is allowed
 * when one row of one grant allows everything it touches; the grant names the conduit. The image is decoded once into
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
	uint32_t lo; /* inclusive */
	uint32_t hi; /* inclusive */
};

/* A list of ranges in the table's pool. `any` means no restriction; n == 0 without `any` means nothing. */
struct number_set {
	bool any;
	uint32_t first; /* index into command_table.ranges */
	uint32_t n;
};

struct command_row {
	uint64_t functions[4]; /* one bit per function code 0..255 */
	uint64_t units[4];     /* one bit per unit id 0..255 */
	bool units_any;	 /* the policy names no unit: all bits but 0 are set, and unit 0 passes unless it broadcasts */
	bool spaces_any; /* no address space was named: every address of every space */
	struct number_set spaces[SPACE_MAX];
	struct number_set values; /* written values */
	uint32_t line;		  /* policy line of the row, for reasons and events */
	uint32_t file;		  /* where that line stands: index into the generation's sources */
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
};

struct command_permit {
	uint32_t permit; /* the box's permit id (1..PERMIT_MAX) */
	uint32_t lane;
	bool observe;	   /* record, stop nothing */
	uint8_t midstream; /* enum midstream */
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
	struct number_range *ranges;
	uint32_t n_ranges;
	uint8_t digest[32]; /* SHA-256 of the image */
	uint16_t version;   /* of the image that it was decoded from */
};

#define COMMANDS_VERSION 3u /* of images that are written; older ones are read */

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
bool number_in(const struct command_table *t, const struct number_set *s, uint32_t value);
/* Every number of lo..hi is inside, possibly across several touching ranges. Ranges are sorted and disjoint. */
bool number_covers(const struct command_table *t, const struct number_set *s, uint32_t lo, uint32_t hi);

static inline bool bit_test(const uint64_t set[4], uint8_t i)
{
	return (set[i / 64u] >> (i % 64u)) & 1u;
}

static inline void bit_set(uint64_t set[4], uint8_t i)
{
	set[i / 64u] |= (uint64_t)1 << (i % 64u);
}

#endif
