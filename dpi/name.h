/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Naming by nDPI: the only module that includes the library.
 *
 * nDPI is asked about the first packets of a flow and answers only at full-inspection confidence; guesses by port, by
 * address or from a cache count as silence. It never widens anything: the inspector lets it decide alone for protocols
 * that have no recogniser of our own, and lets it contradict for the few whose signature cannot be met by accident. All
 * its memory comes from one region of stated size, taken before the sandbox closes. Two detection modules serve the
 * process, because the library's allocator is the process's; states of flows belong to a `struct namer`.
 */
#ifndef SEKISHO_DPI_NAME_H
#define SEKISHO_DPI_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/wire/protocols.h"
#include "dpi/protocol.h"

#define NAME_PACKETS 10u      /* with payload; a flow without a name by then stays without one */
#define NAME_HEAP (32u << 20) /* bytes of address space for the library; touched as used */
#define NAME_SLOT_NONE UINT32_MAX

struct namer;

struct name_answer {
	bool named;		/* at full-inspection confidence */
	enum protocol protocol; /* PROTO_NONE when it is one that no policy can name */
	enum protocol inside;	/* what it carries, "ndpi:dropbox" in TLS; PROTO_NONE: nothing that has a name */
};

/* States for `slots` flows at a time. NULL when memory is out. */
struct namer *namer_new(uint32_t slots);
void namer_free(struct namer *n); /* accepts NULL */
/*
 * Whether the library looks for every name that it knows, or only for those of protocols with a form of ours, which is quicker; so it begins.
 * Flows that are open may come out either way.
 */
void name_look_for_all(struct namer *n, bool all);
/* A fresh state, or NAME_SLOT_NONE when all are in use. */
uint32_t name_open(struct namer *n);
void name_close(struct namer *n, uint32_t slot);
/* One packet with payload, from the IP header on, whole and checked. `now_ms`: any steady clock. */
struct name_answer name_packet(struct namer *n, uint32_t slot, enum direction dir, struct bytes ip, uint64_t now_ms);
/* Whether the linked library can name it at all. */
bool name_known(enum protocol p);
/* Whether the name `named` is strong enough to contradict `promised`. */
bool name_contradicts(enum protocol named, enum protocol promised);

#endif
