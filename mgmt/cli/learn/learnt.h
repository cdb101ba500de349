/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was learnt: which hosts communicate, and which requests they send. Each kind is stored once
 * with its count; packets are not stored. The size is bounded: the most frequent kinds are kept,
 * and the others are counted. Owns its entries.
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
#define LEARNT_NAMES 65536u /* a power of two */
#define LEARNT_NO_TARGET UINT32_MAX
/* a target that means nothing to the operation, and has no number: rows and comments leave it
 * out */
#define LEARNT_IDLE_TARGET (UINT32_MAX - 1u)

/* Sessions of one client with one port of one server. */
struct talk {
	struct addr client, server;
	uint16_t port; /* ICMP: type << 8 | code */
	uint8_t l4proto;
	enum protocol protocol; /* PROTO_NONE: not recognised */
	enum protocol guess;	/* nDPI's guess of an unrecognised protocol; PROTO_NONE: none */
	/* largest number of bytes in a session before the protocol or the guess was known */
	uint32_t undecided;
	uint64_t sessions;
	uint64_t guessed; /* sessions for which it is not known which end is the server */
	uint64_t cut;	  /* sessions of which the capture lacks some or all bytes */
	uint64_t misfits; /* sessions that do not go on as their first bytes promised */
};

/* Operations of one kind within the sessions of one `talk`. One request may have several
 * operations. */
struct act {
	struct addr client, server;
	uint16_t port;
	uint8_t l4proto;
	uint8_t space; /* SPACE_NONE: no address */
	bool exact;    /* the operation writes, so its addresses are not merged with others */
	/* it ends something whose beginning was not seen, so no row is made for it */
	bool half;
	bool unknown; /* its addresses cannot be known */
	uint8_t turn; /* index among the operations that one row must allow together, from 0 */
	enum protocol protocol;
	uint32_t function,
		/* target values; LEARNT_NO_TARGET: not told, or no policy can name it */
		targets[TARGET_MAX];
	/* the part of the space with its addresses: a data block, a class of objects, a module, or
	 * one name; 0: the whole space */
	uint64_t thing;
	uint64_t lowest, highest; /* smallest and largest address, if there is a space */
	uint64_t count;
};

/* Counts of what was read, and of what is not in the proposal; all are printed with
 * the proposal. */
struct tally {
	uint64_t frames, first_ns, last_ns;
	uint64_t copies; /* frames that came twice, as mirrors of both directions show them */
	uint64_t lost;	 /* frames lost for lack of room in the kernel */
	uint64_t missed; /* frames lost for lack of room in the card */
	/* other frames; and those of which the capture has only the beginning */
	uint64_t not_ip, cut;
	uint64_t unanswered; /* sessions without an answer */
	uint64_t not_unicast;
	/* commands and answers that do not fit their protocol, or whose beginning was not seen */
	uint64_t misfits;
	/* sessions and operations for whose kind there was no room */
	uint64_t talks_left, acts_left;
	uint64_t refused; /* requests that rows of the policy refuse */
	uint64_t no_row;  /* operations that no row can allow */
	uint64_t halves;  /* operations that end something whose beginning was not seen */
};

struct learnt {
	struct talk *talks; /* sorted by all but the counts, once settled */
	size_t n_talks, talks_room;
	struct act *acts;
	size_t n_acts, acts_room;
	/* hash index of the acts that were added since the last settling: an act's index + 1;
	 * 0: free */
	uint32_t fresh[LEARNT_FRESH];
	struct {
		uint64_t digest;
		char *text; /* NULL: a free place */
	} names[LEARNT_NAMES];
	struct tally tally;
	bool failed; /* memory ran out */
};

void learnt_free(struct learnt *l); /* frees its contents; a zeroed struct is empty */
void learnt_talk(struct learnt *l, const struct talk *t);
/* also calls learnt_settle when there are many acts */
void learnt_act(struct learnt *l, const struct act *a);
/* Keeps the name behind a digest that is used as an address of an act. The first spelling is kept.
 * A name is not kept if the places near its own are taken. */
void learnt_name(struct learnt *l, uint64_t digest, const char *text);
const char *learnt_name_of(const struct learnt *l, uint64_t digest); /* NULL: it is not known */
/* Joins equal entries and sorts them. If there are more than LEARNT_TALKS or LEARNT_ACTS, the
 * rarest are counted and dropped. */
void learnt_settle(struct learnt *l);
/* The acts of a talk, which are adjacent after learnt_settle; *ret_n may be 0. */
const struct act *learnt_acts_of(const struct learnt *l, const struct talk *t, size_t *ret_n);

#endif
