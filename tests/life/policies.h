/* SPDX-License-Identifier: Apache-2.0 */
/* A few policies, compiled once from their texts by the real compiler. */
#ifndef SEKISHO_TESTS_LIFE_POLICIES_H
#define SEKISHO_TESTS_LIFE_POLICIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GENERATION_BYTES_MOST (8u << 20)

enum known_policy {
	KNOWN_PLAIN,	 /* a policy with one conduit that no worker inspects */
	KNOWN_WIDER,	 /* a policy with two conduits, and another card */
	KNOWN_INSPECTED, /* commands: gates and workers */
	KNOWN_PREPARED,	 /* a policy with a conduit behind a door, and an isolation */
	/* conduits that begin, end, and have hours; doors of two persons; a UPS, a time source */
	KNOWN_TIMED,
	KNOWN_ENDING, /* a conduit that ends 20 s after a life began */
	KNOWN_PROVEN, /* confirmed only after two conduits were heard */
	POLICIES_KNOWN
};

#define OPENINGS_MOST 8u

/* What a cell of IPv4 lets through. */
struct opening {
	uint8_t l4proto;
	char in[16], out[16]; /* the cards */
	/* 0 = it stays, IR_SHUT = it is behind a door or has hours; or it ends then */
	uint64_t until;
};

struct compiled_policy {
	const char *name;
	uint8_t *sealed;
	size_t n_sealed;
	uint8_t digest[32];	/* of the sealed bytes */
	uint8_t generation[32]; /* its digest, by which people know it */
	struct opening openings[OPENINGS_MOST];
	unsigned n_openings;
};

extern struct compiled_policy compiled[POLICIES_KNOWN];

/* Compiles the policies; exits if one does not compile. */
void policies_make(void);
/* Its texts: the policy's own, and that of the box. */
const char *policy_text_of(enum known_policy p, bool box);
/* A descriptor with what a person sends in place of texts, and the policy that it stands for; owned
 * by the caller. */
int policy_bundle(enum known_policy p);
const struct compiled_policy *policy_of_bundle(int fd);

#endif
