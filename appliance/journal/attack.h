/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signs of an attack, found in the records as they come (wire/attack.def says which): each is one alarm for its cause and its two ends, with a first time, a last
 * time, a count and the machines by their labels. Journal role only; it is kept in the file `attacks` beside the records, so that an alarm outlives a restart.
 *
 * Who is refused in many places is one alarm for his whole zone, and of the other causes two zones have ATTACK_BY_ZONES of their own: what is beyond is one alarm for
 * the two zones, with counts. So a crowd floods nobody. All tables have a fixed size; what is oldest goes, what a person has seen first, and that is counted.
 *
 * An alarm rings until a person acknowledges it, or silences it for a time. It rings again when that time is over, and either way when it grows: twice as much as was
 * seen then, or graver. One that is acknowledged and then quiet for ATTACK_OVER_S is over, and what comes after it is another.
 *
 * Pure but for its file: it reads no clock. Times are seconds since 1970. Nothing is allocated for a record.
 */
#ifndef SEKISHO_JOURNAL_ATTACK_H
#define SEKISHO_JOURNAL_ATTACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/journal/names.h"
#include "appliance/wire/attack.h"
#include "appliance/wire/event.h"
#include "appliance/wire/msg.h"

#define ATTACK_ALARMS 64u
#define ATTACK_BY_ZONES 8u
#define ATTACK_OVER_S 86400u
#define ATTACK_TEST_OVER_S 900u /* what a self-test rang goes by itself then */
#define ATTACK_TEST_EVERY_S (30u * 86400u)
#define ATTACK_HOSTS 32u     /* of one alarm, counted one by one; as many mean so many or more */
#define ATTACK_PLACES 16384u /* bits by which addresses and ports are counted, some per cent off where there are many */
#define ATTACK_WATCHED 1024u
#define ATTACK_WATCH_PLACES 512u
#define ATTACK_ASKERS 1024u
#define ATTACK_ASKED 8192u
#define ATTACK_ASKED_WAYS 8u /* places that one may have in either */

struct attack_alarm {
	uint32_t number;       /* given once; 0 = a free place */
	uint8_t cause;	       /* enum attack_cause */
	bool grave, test, sum; /* sum: of all ends of two zones, or of a zone */
	uint64_t key, zones;   /* by which it is found: of its ends; of their zones */
	uint64_t first, last, count;
	uint32_t hosts, places;		       /* about so many places */
	char from[ATTACK_END], to[ATTACK_END]; /* the machines, as people call them; "" = not known */
	struct addr client, server;	       /* family 0: several, or not known */
	uint32_t rung;			       /* how often it has */
	uint64_t rang;			       /* when it did last */
	uint64_t acknowledged, silent_until;   /* 0 = it is not */
	uint64_t seen;			       /* its count when a person saw it last */
	bool seen_grave;
	char by[USER_BY], person[HOLD_PERSON], reason[HOLD_REASON + 1];
	uint8_t says; /* enum attack_event, not on record yet; ATTACK_NOTHING = it is */
	/* Not kept in the file: */
	uint64_t host[ATTACK_HOSTS];
	uint64_t place[ATTACK_PLACES / 64];
	uint32_t bits;	       /* of them that are set */
	bool crowd;	       /* it rang for a whole zone: what its hosts did before is counted */
	uint64_t milli_places; /* ... and how many places those stand for, in thousandths */
};

/* What may become an alarm, of one cause and key, within one window. */
struct attack_watch {
	uint64_t key, since, count; /* since 0 = a free place */
	uint64_t place[ATTACK_WATCH_PLACES / 64];
	uint32_t bits;
	uint64_t milli_places;
};

/* A host that asks, or what one asked. */
struct attack_asked {
	uint64_t key, first, last; /* first 0 = a free place */
};

/* Start from attacks_load(). */
struct attacks {
	struct attack_alarm alarms[ATTACK_ALARMS];
	size_t n;
	struct attack_watch watched[2][ATTACK_WATCHED]; /* the second of ATTACK_TRYING alone */
	struct attack_asked askers[ATTACK_ASKERS], asked[ATTACK_ASKED];
	struct attack_asked tests[2][ATTACK_ASKED_WAYS]; /* both, of a self-test */
	uint64_t
		forgot; /* when something that was asked last found no room: nothing is called new for learn_days then */
	uint64_t seed;	/* of all keys: nobody can know which share a place */
	uint32_t last;	/* the number that was given last */
	uint64_t beyond; /* alarms that went though nobody had acknowledged them */
	struct attack_rule rule;
	uint64_t rule_version; /* counts how often the rule was another; 0 = none is known yet */
	uint64_t tested;       /* the last self-test; 0 = there was none */
	uint32_t test_missed;  /* causes that did not ring in it: bit n */
	bool settled;	       /* the clock has gone on evenly for long: only then is something called new */
	bool testing;
	bool damaged;	     /* what was there could not be read */
	bool changed, stale; /* something is not saved; only counts and what was asked */
};

/* Draws nothing: `seed` is for a new one. *ret_damaged: what stood there could not be read, and was set aside. */
void attacks_load(int folder, uint64_t seed, struct attacks *ret, bool *ret_damaged);
int attacks_save(int folder, struct attacks *a, struct err *e);
/* The file's bytes, pure: false = they are none that attacks_save writes. */
bool attacks_parse(const uint8_t *text, size_t n, struct attacks *ret);

/* A record as it came, and the names of what it is about. */
void attacks_note(struct attacks *a, const struct event *e, const struct named *n, uint64_t now);
/* Silences that are over, alarms that are. */
void attacks_tick(struct attacks *a, uint64_t now);
/* When that is next worth a call; UINT64_MAX = never. */
uint64_t attacks_due(const struct attacks *a);
/* The thresholds from now on. True: they are others than before; *ret is the record of that. */
bool attacks_rule(struct attacks *a, const struct attack_rule *rule, uint64_t now, struct event *ret);
/* The next record of an alarm that rang. Call until it says false. */
bool attacks_out(struct attacks *a, uint64_t now, struct event *ret);
/* One of each kind, through all of the above, marked as a test; *ret is the record of it. */
void attacks_test(struct attacks *a, uint64_t now, struct event *ret);
/* It rings: nobody has acknowledged or silenced it. */
bool attack_rings(const struct attack_alarm *x);

/* What a person says of an alarm; `silent_s` 0: he acknowledges it. False: there is none of that number. */
struct attack_seen {
	uint32_t number;
	uint64_t silent_s;
	const char *by, *person, *reason;
};
bool attacks_seen(struct attacks *a, const struct attack_seen *s, uint64_t now, struct event *ret);

#endif
