/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Naming by nDPI: the only module that includes the library.
 *
 * nDPI is asked about the first packets of a flow and answers only at full-inspection confidence;
 * guesses by port, by address or from a cache count as silence. It never allows more than a permit
 * does: the inspector lets it decide alone for protocols that have no recogniser of our own, and
 * lets it contradict our recognisers for the few protocols whose signature other traffic cannot
 * have by accident. All its memory comes from one region of stated size, taken before the sandbox
 * closes. The process has two detection modules for all namers, because the library has one
 * allocator for the process. States of flows belong to a `struct namer`.
 */
#ifndef SEKISHO_DPI_NAME_H
#define SEKISHO_DPI_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/wire/protocols.h"
#include "dpi/protocol.h"

#define NAME_PACKETS 10u /* packets with payload that nDPI gets of a flow */
/* bytes of address space for the library; pages are touched when first used */
#define NAME_HEAP (32u << 20)
#define NAME_SLOT_NONE UINT32_MAX

struct namer;

struct name_answer {
	bool named;		/* at full-inspection confidence */
	enum protocol protocol; /* PROTO_NONE when policies have no word for the protocol */
	/* the application inside, such as "ndpi:dropbox" in TLS; PROTO_NONE: not known */
	enum protocol inside;
};

/* Allocates states for `slots` flows at a time. NULL when memory is out. */
struct namer *namer_new(uint32_t slots);
void namer_free(struct namer *n); /* accepts NULL */
/*
 * `all`: nDPI looks for every protocol that it knows; otherwise only for protocols that have a
 * recogniser of ours, which is quicker and the default. For flows that are open at the change,
 * either may apply.
 */
void name_look_for_all(struct namer *n, bool all);
/* A new state, or NAME_SLOT_NONE when all are in use. */
uint32_t name_open(struct namer *n);
void name_close(struct namer *n, uint32_t slot);
/* Gives one packet with payload to nDPI: from the IP header on, complete and checked. `now_ms`:
 * milliseconds of any monotonic clock. */
struct name_answer name_packet(struct namer *n, uint32_t slot, enum direction dir, struct bytes ip, uint64_t now_ms);
/* Whether the linked nDPI can name this protocol. */
bool name_known(enum protocol p);
/* Whether the name `named` is strong enough to contradict `promised`. */
bool name_contradicts(enum protocol named, enum protocol promised);

#endif
