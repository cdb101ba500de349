/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resolves the numbers in event records: conduits, files, permits, interfaces, zones and assets of
 * each generation. A record names the generation under which it was made, and its numbers are
 * resolved in that one alone: the same number may be another conduit in the next. Journal role
 * only. Only the names of a generation are kept, so that many generations fit.
 */
#ifndef SEKISHO_JOURNAL_NAMES_H
#define SEKISHO_JOURNAL_NAMES_H

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/journal/clean.h"
#include "appliance/wire/attack.h"
#include "appliance/wire/event.h"
#include "appliance/wire/role.h"

#define NAMES_KEPT 64u
/* bytes of all kept generations; the newest is kept whatever its size */
#define NAMES_BYTES (64u << 20)

struct named_generation;

/* Start from zero bytes; newest first. */
struct names {
	struct named_generation *list[NAMES_KEPT];
	size_t n;
	json_t *doors; /* the list of doors (enforce/door_book.h); owned; NULL = none */
};

/* A generation from the supervisor: its sealed bytes, and the kernel's number of each permit and
 * interface. */
struct names_source {
	uint64_t number;
	const uint8_t *sealed;
	size_t n_sealed;
	struct bytes permits;	    /* u32 each, by permit index */
	const uint32_t *interfaces; /* by interface index; missing ones count as absent */
	size_t n_interfaces;
	/* the generations whose permits live sessions have, as event_generation_put writes them:
	 * they stay if others have to go */
	struct bytes carried;
};

/* Copies what it needs. A known generation is replaced, unless it is the newest and has not
 * changed. 0, or negative errno; the names are then unchanged. */
int names_add(struct names *n, const struct names_source *from, struct err *e);
void names_forget(struct names *n);
/* Takes over the list of doors, whose openings records name. */
void names_doors(struct names *n, json_t *doors);
/*
 * The openings of doors that the event is due to: those of its permit's doors that were in force
 * during the time that the event sums up, or else the last one before. `seconds`: that time, which
 * ended when the event was made. [{"opening","door","person","ticket"}], owned by the caller; NULL:
 * its permit has no door.
 */
json_t *names_openings(const struct names *n, const struct event *e, uint64_t seconds);
/* Whether the list `carried` of a names_source has the generation. */
bool names_carried(struct bytes carried, struct event_generation g);
/* Whether one of the generations names a log server, so that records are sent, or may be sent again
 * after a rollback. */
bool names_send(const struct names *n);

struct named_end {
	const char *zone;	   /* NULL = unknown */
	const char *zone_label;	   /* "" or NULL = no label */
	unsigned zone_class;	   /* enum zone_class, of a zone that is known */
	const char *asset, *label; /* asset NULL = no asset; label "" = no label */
};

struct named {
	const char *conduit, *conduit_label; /* NULL = unknown */
	const char *file;		     /* NULL = unknown */
	uint32_t line;			     /* 0 = unknown */
	/* file of the row that allowed the operation; NULL = none, or unknown */
	const char *row_file;
	const char *interface;	  /* the policy's name of it; NULL = unknown */
	unsigned interface_class; /* enum zone_class of the first zone behind it */
	struct named_end behind;  /* the zone behind it; none if there are several */
	/* the client's zone is known, but is not behind the interface */
	bool elsewhere;
	struct named_end client, server;
};

/* The thresholds for attacks of the newest generation. False: there is no generation yet. */
bool names_attack_rule(const struct names *n, struct attack_rule *ret, struct event_generation *ret_which);

/* The conduits of the newest generation that only observe, with digests of their rows; owned by the
 * caller. False: there is no generation yet, or no memory. */
bool names_observing(const struct names *n, struct clean_conduit **ret, size_t *ret_n);

/* Where a packet came in. */
struct named_place {
	const char *interface; /* NULL = unknown */
	/* "" = unknown: the interface has several zones, and no address shows which one */
	const char *zone;
	const char *asset; /* the asset with that address; NULL = none */
};

/* Finds where a packet came in, from the interface and client of its event. Uses the names of the
 * event's generation or, if that is not known, of the newest one. The strings live as long as those
 * of names_of_event. */
void names_of_place(const struct names *n, const struct event *e, struct named_place *ret);
/* Strings live until the generation is forgotten. */
void names_of_event(const struct names *n, const struct event *e, struct named *ret);

/* An event record as the JSON object of docs/json.md. Journal role only; pure. */

/* The object has no number and no hashes yet. `from` is the role whose socket the event came
 * through. A new reference; NULL: out of memory. */
json_t *event_json(const struct event *e, enum role from, const struct names *n);

#endif
