/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The role control serves people. It answers the command line and the web side, keeps the draft,
 * makes backups, composes answers from those of the roles, and watches for dates that people have
 * to know in time. It has no privilege: orders that change the box go to the supervisor, which
 * itself finds out who gave them (supervise/orders.c). One thread, one loop that never waits for a
 * peer.
 *
 *   role.c          start, loop, end
 *   told.c          the state that the supervisor reports; facts.c makes JSON of it for people
 *   people.c        connections, and queued answers (answer.c)
 *   questions.c     which questions are allowed
 *   dispatch.c      messages of the supervisor, and of roles through it
 *   answers.c       questions that several roles answer; answers_json.c puts the answers together
 *   change.c        the draft that people prepare, and its approval
 *   records.c       orders about the records over the web
 *   backup.c        backups
 *   show.c          stored generations
 *   errands.c       work of the compiler, one after the other
 *   impact.c        the effect of an operation on live sessions, as the workers foretell it
 *   watch.c         when the following watchers look
 *   review.c        alarms about overdue entries, which overdue.c finds
 *   near_end.c      alarms about conduits that end soon, which ending.c finds
 *   certificates.c  alarms about certificates, whose dates expiry.c judges
 *   uninspected.c   alarms: packets not inspected, or not reported to the tap; unserved.c decides
 *   hours.c         records of windows that begin and end
 *   clock.c         records of a source of time that the clock has lost, or follows again
 */
#ifndef SEKISHO_CONTROL_CONTROL_H
#define SEKISHO_CONTROL_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/base/sentence.h"
#include "appliance/control/answer.h"
#include "appliance/control/certificates.h"
#include "appliance/control/tried.h"
#include "appliance/control/uninspected.h"
#include "appliance/control/watch.h"
#include "appliance/control/watch_hours.h"
#include "appliance/store/generation.h"
#include "appliance/wire/event.h"
#include "appliance/wire/slot.h"

struct arena;
struct backup;
struct change;
struct client;
struct collect;
struct errands;
struct impact;
struct ir;
struct records;
struct shows;

#define ASKED (SLOTS + 1u)

/* The generation in force, as the supervisor has reported it. */
struct in_force {
	uint64_t number; /* 0: the empty one */
	struct arena *arena;
	struct ir *ir;
	uint32_t *ids; /* of its permits; owned */
};

/* Counts of roles, which start at 0 with each process of the role. */
enum counted { COUNTED_STOPPED, COUNTED_SEARCHES, COUNTED_DRIFTS, COUNTED };

struct control {
	struct event_port events;
	bool logins; /* there is a socket of logins */
	int web;     /* the channel to the web side, -1 = none */
	/* the channel to a new process of the web side, until the loop takes it; -1 = none */
	int web_next;
	uint32_t web_number; /* number of the web side's process */
	/* the supervisor has set the following fields; before that no questions are read */
	bool stands;
	struct in_force *now; /* NULL until `stands` */
	/* only the list of generations, as in the supervisor's store */
	struct generation_store store;
	bool has_past; /* the list was told */
	struct msg_standing facts;
	struct sentence workers_said; /* facts.c */
	/* as the supervisor stores them; owned, NULL = not told yet */
	json_t *doors, *isolations;
	bool trusted; /* the clock is trusted */
	uint32_t next_id;
	struct {
		json_int_t last, gone; /* counts of the running process, and of earlier ones */
	} counted[COUNTED];
	char drift_last[32]; /* when the rules were last changed, as the role reported it */
	/* Private data of the files named beside them, made at the start. */
	struct collect *collects; /* answers.c */
	/* answers_json.c composes the answers */
	json_t *(*compose)(struct control *s, struct collect *c, int *status);
	/* answers.c: until when the questions of the web side keep the box busy */
	uint64_t web_asked;
	struct client *clients; /* people.c */
	uint64_t next_serial;	/* people.c: number of the next connection */
	/* people.c: monotonic ns when the next question of a login is read */
	uint64_t logins_again;
	struct answer *answers, *answers_last; /* answer.c; owned, the oldest first */
	struct answer *spare_answers;	       /* the same */
	struct change *change;		       /* change_private.h */
	struct records *records;	       /* records.c */
	struct backup *backup;		       /* backup.c */
	struct shows *shows;		       /* show.c */
	struct impact *impact;		       /* impact.c */
	struct errands *errands;	       /* errands.c */
	struct reviews reviews;
	struct tried tried;
	struct carried carried[CARRIED_TARGETS];
	struct near_ends near_ends;
	struct counting counting;
	struct uninspected uninspected;
	struct unheard unheard;
	struct hours hours;
	struct clock_source source;
	struct certificates certificates;
	struct watch watches[WATCHES];
};

#endif
