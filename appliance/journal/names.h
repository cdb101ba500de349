/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the numbers in event records mean: conduits, files, permits, interfaces, zones and assets, per generation. A record
 * names the generation under which it was made and is read in that one alone: the same number is another conduit in the
 * next. Journal role only. Of a generation only the names are kept, so that many fit.
 */
#ifndef SEKISHO_JOURNAL_NAMES_H
#define SEKISHO_JOURNAL_NAMES_H

#include "appliance/base/arena.h"
#include "appliance/base/err.h"
#include "appliance/wire/attack.h"
#include "appliance/wire/event.h"

#define NAMES_KEPT 64u
#define NAMES_BYTES (64u << 20) /* of all that are kept; the newest stays whatever it takes */

struct named_generation;

/* Start from zero bytes; newest first. */
struct names {
	struct named_generation *list[NAMES_KEPT];
	size_t n;
};

/* A generation as the supervisor hands it over: its sealed bytes, and of each permit and interface the kernel's number. */
struct names_source {
	uint64_t number;
	const uint8_t *sealed;
	size_t n_sealed;
	struct bytes permits;	    /* u32 each, by permit index */
	const uint32_t *interfaces; /* by interface index; missing ones count as absent */
	size_t n_interfaces;
};

/* Copies what it needs. The same generation again takes the place of the first. 0 or negative errno, with the names as they
 * were. */
int names_add(struct names *n, const struct names_source *from, struct err *e);
void names_forget(struct names *n);
/* A generation among them names a log server: records are sent on, or may be again after a rollback. */
bool names_send(const struct names *n);

struct named_end {
	const char *zone;	   /* NULL = unknown */
	const char *zone_label;	   /* "" or NULL = it has none */
	unsigned zone_class;	   /* enum zone_class, of a zone that is known */
	const char *asset, *label; /* NULL = it is none; label "" = none of its own */
};

struct named {
	const char *conduit, *conduit_label; /* NULL = unknown */
	const char *file;		     /* NULL = unknown */
	uint32_t line;			     /* 0 = unknown */
	const char *row_file;		     /* of the row that allowed it; NULL = none, or unknown */
	const char *interface;		     /* role name, NULL = unknown */
	unsigned interface_class;	     /* enum zone_class of the first zone behind it */
	bool elsewhere;			     /* the client's zone is known, and none of those behind the interface */
	struct named_end client, server;
};

/* By what the newest generation takes something for a sign of an attack. False: there is no generation yet. */
bool names_attack_rule(const struct names *n, struct attack_rule *ret, struct event_generation *ret_which);

/* Where a packet came in. */
struct named_place {
	const char *interface; /* NULL = unknown */
	const char *zone;      /* "" = unknown: several are behind it, and no address says which */
	const char *asset;     /* whose address it is; NULL = of none */
};

/* Of an event's interface and client, in its generation, or where that is not known in the newest. Strings as below. */
void names_of_place(const struct names *n, const struct event *e, struct named_place *ret);
/* Strings live until the generation is forgotten. */
void names_of_event(const struct names *n, const struct event *e, struct named *ret);

#endif
