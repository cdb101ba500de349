/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was learnt: who talks to whom and what is asked for, each kind once with its count, never packets. Bounded: of too many
 * kinds the most frequent are kept, the others are counted. Owns its entries.
 */
#ifndef SEKISHO_MGMT_CLI_LEARN_LEARNT_H
#define SEKISHO_MGMT_CLI_LEARN_LEARNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/wire/vocabulary.h"

#define LEARNT_TALKS 16384u
#define LEARNT_ACTS 65536u
#define LEARNT_FRESH 4096u  /* a power of two */
#define LEARNT_NAMES 16384u /* a power of two */
#define LEARNT_NO_TARGET UINT32_MAX

/* Sessions of one client with one port of one server. */
struct talk {
	struct addr client, server;
	uint16_t port; /* ICMP: type << 8 | code */
	uint8_t l4proto;
	enum protocol protocol; /* PROTO_NONE: nothing told it */
	enum protocol guess;	/* what nDPI takes it for where nothing did; PROTO_NONE: nothing */
	uint32_t undecided;	/* bytes that passed before either was told, the most of a session */
	uint64_t sessions;
	uint64_t guessed; /* of them: nothing showed which end is the server */
	uint64_t cut;	  /* of them: the capture lacks a part of what they said */
};

/* Operations of one kind within such sessions. A request may have several. */
struct act {
	struct addr client, server;
	uint16_t port;
	uint8_t l4proto;
	uint8_t space; /* SPACE_NONE: no address */
	bool exact;    /* it writes: its addresses are not joined with those of others */
	bool half;     /* it ends what nobody saw begin: no row is made of it */
	bool unknown;  /* which addresses it touches cannot be known */
	uint8_t turn;  /* the how manieth of those that one row must allow together, from 0 */
	enum protocol protocol;
	uint32_t function,
		targets[TARGET_MAX]; /* LEARNT_NO_TARGET: one that no policy can write, or that was not told */
	uint64_t
		thing; /* what its addresses lie in: a data block, a class of objects, a module, or one name; 0: nothing smaller than the space */
	uint64_t lowest, highest; /* of the addresses, where there is a space */
	uint64_t count;
};

/* What was read, and what is not in the proposal: every number is said with it. */
struct tally {
	uint64_t frames, first_ns, last_ns;
	uint64_t copies;      /* frames that came twice, as mirrors of both directions show them */
	uint64_t lost;	      /* that the kernel had no room for */
	uint64_t missed;      /* that the card had no room for */
	uint64_t not_ip, cut; /* other frames; and those of which the capture has only the beginning */
	uint64_t unanswered;  /* sessions that nobody answered */
	uint64_t not_unicast;
	uint64_t misfits; /* commands and answers that do not fit their protocol, or stand without their beginning */
	uint64_t talks_left, acts_left; /* sessions and operations for whose kind there was no room */
	uint64_t no_row;		/* operations that no row can allow */
	uint64_t halves;		/* ... and that end what nobody saw begin */
};

struct learnt {
	struct talk *talks; /* sorted by all but the counts, once settled */
	size_t n_talks, talks_room;
	struct act *acts;
	size_t n_acts, acts_room;
	uint32_t fresh
		[LEARNT_FRESH]; /* where an act may have an entry since it was settled last; 0: nowhere, else its place + 1 */
	struct {
		uint64_t digest;
		char *text; /* NULL: a free place */
	} names[LEARNT_NAMES];
	struct tally tally;
	bool failed; /* memory ran out */
};

void learnt_free(struct learnt *l); /* its content; a zeroed one is empty */
void learnt_talk(struct learnt *l, const struct talk *t);
void learnt_act(struct learnt *l, const struct act *a); /* settles acts by itself when there are many */
/* How a name is written whose digest is an address of an act: the first way that was seen. Where there is no room left, none is kept. */
void learnt_name(struct learnt *l, uint64_t digest, const char *text);
const char *learnt_name_of(const struct learnt *l, uint64_t digest); /* NULL: it is not known */
/* Joins entries of one kind, sorts them, and leaves the rarest out where there are more than LEARNT_TALKS and LEARNT_ACTS. */
void learnt_settle(struct learnt *l);
/* The acts of a talk, which are neighbours once settled; *ret_n may be 0. */
const struct act *learnt_acts_of(const struct learnt *l, const struct talk *t, size_t *ret_n);

#endif
