/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signs of an attack, found in the records as they come (wire/attack.def lists the causes). Signs
 * with the same cause and the same two ends are one alarm, with a first time, a last time, a count
 * and the machines by their labels. Journal role only. The list is kept in the file `attacks`
 * beside the records, so that an alarm outlives a restart.
 *
 * A scan (refused connections to many places, that is, addresses and ports) is one alarm for the
 * whole zone. For the other causes each pair of zones has at most ATTACK_BY_ZONES alarms; further
 * ones become one alarm for the two zones, with counts. So many attackers cannot flood the list.
 * All tables have a fixed size. When the list of alarms is full, tests give way first, then
 * acknowledged alarms, then those that are not grave, then the oldest ones. Alarms that were
 * dropped unacknowledged are counted.
 *
 * An alarm rings until a person acknowledges it, or silences it for a time. It rings again when
 * that time is over, when its count has doubled since the person saw it, or when it has become
 * grave. An alarm that still rings rings again when a new burst comes after ATTACK_QUIET_S. An
 * acknowledged alarm without new signs for ATTACK_OVER_S is over; later signs make a new alarm.
 *
 * Pure but for its file: it reads no clock. Times are seconds since 1970. Nothing is allocated for
 * a record.
 */
#ifndef SEKISHO_JOURNAL_ATTACK_H
#define SEKISHO_JOURNAL_ATTACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/columns.h"
#include "appliance/journal/names.h"
#include "appliance/wire/attack.h"
#include "appliance/wire/event.h"
#include "appliance/wire/said.h"

#define ATTACK_ALARMS 64u
#define ATTACK_BY_ZONES 8u
#define ATTACK_OVER_S 86400u
/* after this time without signs, as many as the threshold are news, although it still rings */
#define ATTACK_QUIET_S 3600u
#define ATTACK_TEST_OVER_S 900u /* seconds after which an alarm of a self-test ends by itself */
#define ATTACK_TEST_EVERY_S (30u * 86400u)
/* an alarm tells hosts apart up to this number, which then means: so many or more */
#define ATTACK_HOSTS 32u
/* bits for an estimate of the number of addresses and ports; it may be off by some per cent */
#define ATTACK_PLACES 16384u
#define ATTACK_WATCHED 1024u
#define ATTACK_WATCH_PLACES 512u
#define ATTACK_ASKERS 1024u
#define ATTACK_ASKED 8192u
#define ATTACK_ASKED_WAYS 8u /* table slots in which a key may be stored */

struct attack_alarm {
	uint32_t number;       /* never used twice; 0 = a free slot */
	uint8_t cause;	       /* enum attack_cause */
	bool grave, test, sum; /* sum: the alarm covers all ends in two zones, or a whole zone */
	uint64_t key, zones;   /* keys for finding it: hash of its ends; hash of their zones */
	uint64_t first, last, count;
	uint32_t hosts, places; /* number of hosts; estimated number of addresses and ports */
	/* the machines at both ends by their labels; "" = not known. Where a source address was
	 * forged: the interface at which it came in, and the machine whose address it is */
	char from[ATTACK_END], to[ATTACK_END];
	struct addr client, server;	     /* family 0: several, or not known */
	uint32_t rung;			     /* how often it has rung */
	uint64_t rang;			     /* when it last rang */
	uint64_t acknowledged, silent_until; /* times; 0 = it is not acknowledged, not silenced */
	/* the alarm's count when a person last acknowledged or silenced it */
	uint64_t seen;
	bool seen_grave;
	char by[USER_BY], person[HOLD_PERSON], reason[HOLD_REASON + 1];
	uint8_t says; /* enum attack_event that is to be recorded; ATTACK_NOTHING = none */
	/* Not kept in the file: */
	uint64_t host[ATTACK_HOSTS];
	uint64_t place[ATTACK_PLACES / 64];
	uint32_t bits;	/* number of bits that are set */
	uint64_t burst; /* the count before the burst that goes on; 0 = the first one */
	/* the alarm rang for a whole zone: all signs of its hosts before that are in its counts */
	bool crowd;
	uint64_t milli_places; /* the estimated number of places for these bits, in thousandths */
};

/* Signs of one cause and key within one window, which may become an alarm. */
struct attack_watch {
	uint64_t key, since, count; /* since 0 = a free slot */
	uint64_t place[ATTACK_WATCH_PLACES / 64];
	uint32_t bits;
	uint64_t milli_places;
};

/* A host that sends requests, or a service that a host has used. */
struct attack_asked {
	uint64_t key, first, last; /* first 0 = a free slot */
};

/* Filled by attacks_load(). */
struct attacks {
	struct attack_alarm alarms[ATTACK_ALARMS];
	size_t n;
	/* the second table is for ATTACK_TRYING only */
	struct attack_watch watched[2][ATTACK_WATCHED];
	struct attack_asked askers[ATTACK_ASKERS], asked[ATTACK_ASKED];
	/* as the two members above, for a self-test */
	struct attack_asked tests[2][ATTACK_ASKED_WAYS];
	/* when an entry last found no room; for learn_days after that, nothing counts as new */
	uint64_t forgot;
	/* secret for hashing, so that a sender cannot choose keys with the same slot */
	uint64_t seed;
	uint32_t last;	 /* the highest number that an alarm has got */
	uint64_t beyond; /* alarms that were dropped before a person had acknowledged them */
	struct attack_rule rule;
	/* increases when the thresholds change; 0 = no thresholds are known yet */
	uint64_t rule_version;
	uint64_t tested;      /* time of the last self-test; 0 = there was none */
	uint32_t test_missed; /* bit n: cause n did not ring in that test */
	/* the clock has not been set for a long time; only then may something count as new */
	bool settled;
	bool testing;
	bool damaged; /* the file could not be read */
	/* `changed`: something is not saved; `stale`: only counts and used services are
	 * not saved */
	bool changed, stale;
};

/* Reads the file. `seed`: a random number for a new list. *ret_damaged: the file could not be read,
 * and was set aside. */
void attacks_load(int folder, uint64_t seed, struct attacks *ret, bool *ret_damaged);
extern const struct columns_file attacks_file; /* of a struct attacks */

/* Evaluates a record, with the names that belong to it. */
void attacks_note(struct attacks *a, const struct event *e, const struct named *n, uint64_t now);
/* Ends silences and alarms whose time is over. */
void attacks_tick(struct attacks *a, uint64_t now);
/* When attacks_tick is next due; UINT64_MAX = never. */
uint64_t attacks_due(const struct attacks *a);
/* Sets the thresholds. True: they have changed; *ret is the record of that. */
bool attacks_rule(struct attacks *a, const struct attack_rule *rule, uint64_t now, struct event *ret);
/* The next record of an alarm that rang. Call until it returns false. */
bool attacks_out(struct attacks *a, uint64_t now, struct event *ret);
/* Makes test signs of each cause. They pass through the same code as signs in records, so that each
 * cause rings one alarm. *ret is the record of the test. */
void attacks_test(struct attacks *a, uint64_t now, struct event *ret);
/* Whether the alarm rings: it is neither acknowledged nor silenced. */
bool attack_rings(const struct attack_alarm *x);

/* A person acknowledges the alarm (`silent_s` 0), or silences it. False: there is no alarm of
 * that number. */
struct attack_seen {
	uint32_t number;
	uint64_t silent_s;
	const char *by, *person, *reason;
};
bool attacks_seen(struct attacks *a, const struct attack_seen *s, uint64_t now, struct event *ret);

/* Shared by attack_sign.c, which finds the signs in a record, and attack.c, which counts them
 * and rings. */

#define DAY_S 86400u

/* A sign in a record, before it is counted. */
struct sign {
	enum attack_cause cause;
	bool sum; /* the sign belongs to the alarm of a whole zone */
	bool grave;
	uint64_t key, zones, host, place;
	uint64_t count;
	struct addr client, server; /* of its two ends; family 0 = not known */
	char from[ATTACK_END], to[ATTACK_END];
};

/* Maps 0, which means a free slot, to another value. */
static inline uint64_t not_zero(uint64_t h)
{
	return h != 0 ? h : 1;
}

uint64_t attack_mix(uint64_t h, const void *what, size_t n);
#define ATTACK_SIGNS 2u
/* Finds the signs in one record, and returns their number. Also learns which services a
 * host uses. */
size_t attack_signs(struct attacks *a, const struct event *e, const struct named *n, uint64_t now,
		    struct sign ret[ATTACK_SIGNS]);

#endif
