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
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/arena.h"
#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "appliance/base/sentence.h"
#include "appliance/box/companions.h"
#include "appliance/control/asker.h"
#include "appliance/control/unserved.h"
#include "appliance/role/outstanding.h"
#include "appliance/role/said.h"
#include "appliance/store/generation.h"
#include "appliance/store/moment.h"
#include "appliance/wire/event.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/slot.h"
#include "policy/ir/ir.h"

/*
 * Conduits that end soon. The warning starts at 90 % of the term: at the earliest one day, at the
 * latest five minutes before the end. A conduit counts as the same as long as its name and its end
 * are unchanged. Pure; times are seconds since 1970.
 */

#define ENDING_MOST_S 86400u
#define ENDING_LEAST_S 300u

/* A conduit that has an end. */
struct ending {
	char *name; /* owned */
	uint64_t until, since;
	bool said; /* an event has warned of this end */
};

struct endings {
	struct ending *list; /* owned */
	size_t n;
};

/* The moment at which the warning starts. */
uint64_t ending_near(uint64_t since, uint64_t until);
/* Replaces the list by the conduits of `ir` that have an end, in the order of `ir`. A conduit that
 * was in the list before keeps its entry; any other counts as in force since `since`. False: there
 * is no memory, and nothing has changed. */
bool endings_take(struct endings *e, const struct ir *ir, uint64_t since);
/* Reads an earlier policy, which was in force from `since` on. Conduits of the list that this
 * policy has as well are at least that old. Returns the number of such conduits. */
size_t endings_older(struct endings *e, const struct ir *before, uint64_t since);
void endings_free(struct endings *e);

/*
 * Overdue entries of a policy: reviews of conduits and zones, assets whose support has ended, and
 * exceptions that have ended without a report. The review of a conduit that has ended is not
 * overdue. Pure.
 */

#define OVERDUE_SHOWN 32u /* listed by name; the total is given as well */
#define OVERDUE_DAY 11u	  /* "2027-03-31" and its NUL */

struct overdue {
	uint32_t n;
	uint64_t since;	    /* when the first was due, seconds since 1970; 0 = there is none */
	uint8_t digest[32]; /* digest of their names and days: unchanged while they are the same */
};

/* Writes the UTC date of a moment, in the form that `check` uses. */
void overdue_day(uint64_t seconds, char out[OVERDUE_DAY]);
/* Finds what is overdue at `now`, seconds since 1970. Adds {"what","name","label","owner","day"}
 * for each of the first OVERDUE_SHOWN entries to `names`, which stays the caller's; NULL = not
 * wanted. */
struct overdue overdue_find(const struct ir *ir, uint64_t now, json_t *names);

/*
 * The state of the certificates of one file, by their dates. A certificate is "near" its end in its
 * last 30 days, which is enough time to order another one in the usual way, or in the last third of
 * its life if that is less. The valid certificate that ends last is "close" in its last seven days,
 * when a person has to act at once, or in the last tenth of its life if that is less. Pure; times
 * are seconds since 1970.
 */

#define EXPIRY_NEAR_S (30u * 86400u)
#define EXPIRY_CLOSE_S (7u * 86400u)

enum expiry {
	EXPIRY_GOOD,
	EXPIRY_NEAR,	/* a certificate ends soon */
	EXPIRY_CLOSE,	/* the last valid certificate ends within days */
	EXPIRY_ENDED,	/* none is valid any more */
	EXPIRY_NOT_YET, /* none is valid yet, but one will be */
	EXPIRIES
};

struct validity {
	uint64_t from, until;
};

/*
 * Judges n > 0 certificates. If one of them is valid, those that have ended are ignored. *which:
 * index of the certificate that decides; *since: when the state began, 0 = not known (EXPIRY_GOOD
 * and EXPIRY_NOT_YET).
 */
enum expiry expiry_of(const struct validity *list, size_t n, uint64_t now, size_t *which, uint64_t *since);

/* Questions that several roles answer. */

struct control;

enum collect_kind {
	COLLECT_NONE,
	COLLECT_STATUS,
	COLLECT_EFFECTIVE,
	COLLECT_VERIFY,
	COLLECT_PASS,
};

struct collect; /* one question and its answers: answers_private.h */

/* answers.c */
int collect_open(struct control *s, struct err *e);
void collect_start(struct control *s, enum collect_kind k, struct asker a);
/* An operation has ended: questions that waited for its end are sent now. */
void collect_settled(struct control *s);
/* Asks a single role; its answer is passed on unchanged. */
void collect_pass(struct control *s, unsigned slot, const struct msg_body *question, struct asker a);
/* As collect_pass, with a descriptor, which stays the caller's; -1 = none. */
void collect_pass_fd(struct control *s, unsigned slot, const struct msg_body *question, int fd, struct asker a);
/* The supervisor answers an order at the machine under this id; `a` takes the answer. */
void collect_handed(struct control *s, uint32_t id, struct asker a);
/* Takes a role's answer to such a question. False: this role may not answer it. */
bool collect_answer(struct control *s, struct msg *m);
void collect_status(struct control *s, struct msg *m); /* a role's own numbers */
/* a role reports progress on this question; returns its asker, or ASKER_NONE if there is none */
struct asker collect_heard(struct control *s, uint32_t id);
void collect_unasked(struct control *s, uint32_t id); /* the question could not be sent */
/* The asker does not wait any more: stops its questions that change nothing. */
void collect_stop(struct control *s, const struct asker *a);
void collect_gone(struct control *s, unsigned slot); /* its process has ended */
void collect_due(struct control *s, uint64_t now);
uint64_t collect_next(const struct control *s);
/* Monotonic ns: from when on the web side may ask again. Until then its messages are not read. */
uint64_t collect_hears(const struct control *s);

/* An error: this role did not answer. */
json_t *answers_silent(enum role r);
/* answers_json.c: composes the answer from all answers of roles; sets *status if it is not 0 */
json_t *answers_compose(struct control *s, struct collect *c, int *status);
json_t *json_history(const struct control *s);

/*
 * Makes a backup. The content is collected in steps, one for each turn of the loop. sekisho-compile
 * encrypts it with the site's certificate in a process of its own, so a backup operator gets a file
 * that only the holder of the key can read. Operations that change the policy in force go first.
 */

int backup_open(struct control *s, struct err *e);
/* Begins a backup; only one is made at a time. `certificate`: a memfd with a certificate in PEM,
 * which stays the caller's; -1: the site's, BACKUP_CERTIFICATE. */
void backup_begin(struct control *s, struct asker a, const char *by, int certificate);
/* Takes an answer that the backup has asked for. */
void backup_told(struct control *s, struct asker a, int status, int fd);
void backup_sealed(struct control *s, const struct msg *m);
/* The backup with this id could not be encrypted. */
void backup_unsealed(struct control *s, uint32_t id);
/* The asker of this backup does not wait any more. */
void backup_stop(struct control *s, const struct asker *a);
void backup_due(struct control *s, uint64_t now);
uint64_t backup_next(const struct control *s); /* monotonic ns, UINT64_MAX = never */

/*
 * The certificates on which the box depends: the one of its own authority, by which browsers trust
 * its pages; the files that box.cfg names as `ca`; and the one that the box shows to a log server
 * with RELP. If a certificate is near its end, has ended, is not valid yet or cannot be read, this
 * is an alarm (`certificates` of the status). The beginning and the end of the alarm are recorded.
 *
 * The files are read here, and parsed by the role mgmt, which has no privileges. What mgmt finds is
 * only shown and compared with the clock. It is kept while mgmt does not run. Which alarms were
 * recorded is kept in memory only, so they are recorded again after a start.
 */

enum certificate_use {
	CERTIFICATE_WEB,
	CERTIFICATE_LOG,
	CERTIFICATE_UPDATE,
	CERTIFICATE_MAIL,
	CERTIFICATE_LOG_OWN,
	CERTIFICATE_USES
};

/* The state of a certificate: EXPIRY_... of expiry.c, and states that do not depend on dates. */
enum certificate_state {
	CERTIFICATE_GOOD,
	CERTIFICATE_NEAR,
	CERTIFICATE_CLOSE,
	CERTIFICATE_ENDED,
	CERTIFICATE_NOT_YET,
	CERTIFICATE_UNREADABLE,
	CERTIFICATE_UNKNOWN,  /* its content is not known yet */
	CERTIFICATE_UNJUDGED, /* the clock is not trusted, so nothing is known of dates */
	CERTIFICATE_STATES
};

#define CERTIFICATE_PATH 512u /* bytes of a path; a longer one cannot be used */

struct certificates {
	uint64_t look_at;    /* monotonic ns */
	uint64_t generation; /* the generation that was in force at the last look */
	struct certificate_file {
		/* "" = no file is configured; for CERTIFICATE_WEB any text, because mgmt itself has
		 * that file */
		char path[CERTIFICATE_PATH];
		enum authority is;
		/* wall ns since when the file has not been READY, or has no readable certificate; 0
		 * = it is good */
		uint64_t bad_since;
		uint8_t digest[32]; /* digest of the text that mgmt was last asked about */
		/* id of the question to mgmt that is not answered yet, 0 = none */
		uint32_t id;
		/* web_number of the process of mgmt that was last asked; 0 = none */
		uint32_t asked;
		bool known; /* `says` describes the file's present text */
		struct msg_certified says;
		/* code of the last record; MACHINE_CERTIFICATE_GOOD if the problem was over; 0 =
		 * none */
		uint8_t said;
	} files[CERTIFICATE_USES];
};

/* Looks every ten seconds, and at once when another policy is in force. */
void certificates_due(struct control *s, uint64_t now);
uint64_t certificates_next(const struct control *s); /* monotonic ns */
/* Takes what the role mgmt found in a certificate. */
void certificates_told(struct control *s, uint32_t id, const struct msg_certified *says);
/* Takes the requested file. `fd` stays the caller's; -1 = none. */
void certificates_file(struct control *s, struct asker a, int status, int fd);
/* For `status` (docs/json.md). */
json_t *json_certificates(const struct control *s);

/*
 * Changes that people make over the web, or at the machine in the name of an account: there is one
 * draft of a policy. One person saves it, it is tried, another person who wrote nothing of it
 * approves it, and it is applied on trial. Each order waits until `accounts` has confirmed whose
 * session or login it is, and that the person has the right. Then it is carried out here, or passed
 * to the supervisor.
 *
 * An approval is for the texts of the draft as a replacement of the generation in force. If the
 * texts or the generation in force change, the approval ends.
 */

struct typist; /* below */
struct change; /* change_private.h */

/* Reads the stored draft. To be called at the start, once events can be sent. 0 or negative
 * errno. */
int change_open(struct control *s, struct err *e);
/* Takes an order of mgmt (`t` NULL), or one that was typed at the machine. Takes its
 * descriptors. */
void change_ordered(struct control *s, struct asker a, const struct typist *t, struct msg *m);
/* Notes that the supervisor has read such an order. Returns who takes its answer. */
struct asker change_handed(struct control *s, struct asker a, enum change_order order, uint64_t revision);
/* Answers the supervisor's question whether such an order may be carried out, and with which
 * texts. */
void change_ground(struct control *s, struct msg *m);
/* Takes the answer that an order waits for, from accounts or the supervisor. `fd` stays the
 * caller's; -1 = none. */
void change_answered(struct control *s, struct asker a, int status, int fd);
/* The asker who waits for the order that this question belongs to; ASKER_NONE: nobody waits. */
struct asker change_asker(const struct control *s, const struct asker *a);
/* Answers with the draft, including its texts or only its state. */
void change_show(struct control *s, struct asker a, bool texts);
/* For `status`: the draft that waits for approval or for an apply; null: there is none. */
json_t *change_waits(const struct control *s);
/* To be called after each operation, because the draft's generation may have been reverted, or
 * another policy may be in force than the one on which the draft is based. */
void change_settle(struct control *s);
/* Tries again to write the draft, which is not on disk (draft_unsaved) because the disk is full
 * or fails. */
void change_save(struct control *s);
/* The asker of this order does not wait any more. Stops a check or dry run whose account is still
 * being looked up. */
void change_stop(struct control *s, const struct asker *a);
/* mgmt is gone: nobody waits for answers any more, and orders that were not begun are dropped. */
void change_forget(struct control *s);

/*
 * A conduit that ends soon (ending.c) is an alarm, which comes early enough to extend the conduit
 * before its sessions are cut. The beginning of the alarm is recorded. The time since when a
 * conduit is in force is carried from policy to policy; after a start it is read from the stored
 * generations. Which alarms were recorded is kept in memory only, so they are recorded again after
 * a start.
 */

struct near_ends {
	uint64_t look_at;    /* monotonic ns */
	uint64_t generation; /* generation that was read last; 0 = none */
	unsigned back;	     /* how many generations have been read since the start */
	struct endings endings;
};

/* Looks every ten seconds, and at once when another policy is in force. */
void near_end_due(struct control *s, uint64_t now);
uint64_t near_end_next(const struct control *s); /* monotonic ns */
/* Takes an earlier generation that was asked for. */
void near_end_told(struct control *s, struct asker a, int status, int fd);
/* For `status`: {"near", "conduits"}; null while the clock is not trusted. */
json_t *json_ending(const struct control *s);

/* The connections to the control socket and to the socket of logins, and all queued answers. */

struct client; /* client.h */

#define CLIENTS_ASKING 16u
#define CLIENTS_HANDED 32u /* places for those whose orders the supervisor has read */
#define CLIENTS (CLIENTS_ASKING + CLIENTS_HANDED)
/*
 * Limits for clients that are not root: LOGINS_MOST for all logins together, LOGINS_EACH for one
 * login. So root, and the programs that send alarms, always find room. When there are LOGINS_MOST,
 * one that has asked nothing for LOGIN_IDLE_NS is disconnected for a new one.
 */
#define LOGINS_MOST 6u
#define LOGINS_EACH 3u
#define LOGIN_IDLE_NS (10ull * 1000000000)
#define LOGIN_PACE_NS 60000000ull /* least time between two questions of one connection */
/* least time between two questions of all logins together, and between two of the web side;
 * LOGINS_MOST times this is LOGIN_PACE_NS */
#define LOGINS_PACE_NS 10000000ull

/* A login of the machine, by which the person's account is looked up. */
struct typist {
	uint32_t uid;		/* NO_TYPIST of who.h: unknown */
	char login[LOGIN_NAME]; /* "" = there is no login with that uid */
};

/* The sender of a question. */
struct peer {
	struct control *s;
	struct asker asker;
	const char *by;	     /* the login behind a question */
	const char *account; /* the account that asks; NULL: root or mgmt asks */
	/* at the control socket: the login whose account gives an order about the draft */
	const struct typist *typist;
};

/* people.c */
int people_open(struct control *s, struct err *e);
void people_accept(struct control *s);
/* Accepts logins of the group that are not root. They have a socket of their own, so that they
 * cannot fill the queue for root. */
void people_accept_logins(struct control *s);
/* Monotonic ns: when a connection that waits for its turn is read again; UINT64_MAX = never. */
uint64_t people_next(const struct control *s);
/* The descriptor of client number `at` below CLIENTS; -1 = no client, or it must not be
 * read now. */
int people_client(const struct control *s, unsigned at);
/* the events for poll(2); 0: only the end of the connection */
short people_events(const struct control *s, unsigned at);
void people_readable(struct control *s, unsigned at);
/* Takes over the channel to a new process of the web side. */
void people_web(struct control *s, int fd);
/* Takes the connection of a person whose order the supervisor has read. */
void people_handed(struct control *s, struct msg *m);
/* The channel to the web side is readable, or closed. */
void people_web_readable(struct control *s);
/* Monotonic ns: until then its messages are not read; 0 = read always. */
uint64_t people_web_from(const struct control *s);
/* To be called once a turn: sends all queued answers. */
void people_answer(struct control *s);

/* dispatch.c: handles a message of the supervisor, or of a role through it. */
bool box_said(struct control *s, struct msg *m);

/* questions.c */
/* Handles a message. False: the message is not allowed, or not from this peer. */
bool peer_said(struct peer *p, struct msg *m);
/* Handles a message of the web side about itself. False: it is another message. */
bool web_said(struct control *s, struct msg *m);
/* The asker does not wait any more: stops all its work that changes nothing. */
void asker_gone(struct control *s, const struct asker *a);

/*
 * Orders about the records over the web: to sign a review, to place or lift a hold. They go to the
 * supervisor, which asks `accounts` whose session it is, and names that account in the record.
 *
 * The same order of a session within a minute is taken for a double click or a repeated request,
 * and is not carried out.
 */

struct records; /* of records.c */

/* 0 or negative errno. */
int records_open(struct control *s, struct err *e);
/* An order of mgmt's. */
void records_ordered(struct control *s, struct asker a, const struct msg_body *order);
/* Takes the result of the order. `fd` stays the caller's; -1 = none. */
void records_answered(struct control *s, struct asker a, int status, int fd);
/* mgmt has ended, so nobody waits for an answer. */
void records_forget(struct control *s);

/*
 * Overdue entries (overdue.c) are an alarm (`reviews` of the status). It is recorded when an entry
 * becomes overdue, and when none is overdue any more. No traffic is stopped. What was recorded is
 * kept in memory only, so it is recorded again after a start.
 */

struct reviews {
	uint64_t look_at;    /* monotonic ns */
	uint8_t digest[32];  /* digest of the entries that were last recorded */
	uint32_t generation; /* the generation that was in force at the last look */
};

/* Looks every minute, and at once when another policy is in force. */
void review_due(struct control *s, uint64_t now);
uint64_t review_next(const struct control *s); /* monotonic ns */
/* For `status`: {"overdue", "since", "due"}; null while the clock is not trusted. */
json_t *json_reviews(const struct control *s);

/*
 * tried.c: when a backup was last tried out with success. 31 days later the status says that the
 * next try is overdue. The time is in a file of control's folder.
 */

struct tried {
	/* seconds; 0 = unknown: the days count from the moment at which the clock is trusted */
	uint64_t since;
	uint64_t look_at; /* monotonic ns */
};

void tried_open(struct control *s);
void tried_due(struct control *s, uint64_t now);
uint64_t tried_next(const struct control *s); /* monotonic ns */
/* The record with this text says that a backup was tried out. */
void tried_recorded(struct control *s, const char *text);
/* For `status`: {"since", "days", "overdue", "carried"}; null while the clock is not trusted. */
json_t *json_tried(const struct control *s);
/* A text without blanks in a file of control's folder, with its digest. */
#define NOTE_MOST 128u
void note_keep(const char *name, const char *what);
/* False: there is no such file, or it is damaged. */
bool note_kept(const char *name, char out[NOTE_MOST]);

/*
 * carried.c: backups by schedule. Records tell root's schedule and how each attempt ended. This
 * file counts the days since the last backup, and says whether the next one is due.
 */

enum carried_target { CARRIED_STICK, CARRIED_SERVER, CARRIED_TARGETS };

#define CARRIED_WHY 24u
#define CARRIED_DAYS_MOST 31u

struct carried {
	uint32_t days;	 /* between two backups; 0 = none are scheduled */
	uint64_t since;	 /* seconds: when the schedule began; 0 = not known yet */
	uint64_t at;	 /* seconds: the last one; 0 = none */
	uint64_t failed; /* seconds: the last attempt, if it failed; not kept over a restart */
	char why[CARRIED_WHY];
};

void carried_open(struct control *s);
/* To be called only while the clock is trusted. */
void carried_due(struct control *s);
/* One of MACHINE_BACKUP_SCHEDULED, _CARRIED and _NOT_CARRIED was recorded with this text:
 * "TARGET: every N d", "TARGET: off", "TARGET: FILE", "TARGET: WHY". */
void carried_recorded(struct control *s, uint8_t what, const char *text);
/* The list for json_tried: a row for each target that is scheduled. */
json_t *json_carried(const struct control *s);

/*
 * Two alarms of the status, whose beginnings and ends are recorded; unserved.h decides about both.
 * `uninspected`: packets that should have been inspected were not. `unheard`: the tap receives
 * nothing, although the kernel counts packets that it should report to the tap. Counts start at 0
 * with the daemon. A new control goes on with its predecessor's counts and alarms, which are in
 * memory of the supervisor.
 */

/* Sums of counters that the kernel starts anew when rules are loaded or a queue is made. */
struct counting {
	struct unserved_counts counts;
	/* what the kernel has counted for the tap, and how often the tap heard */
	uint64_t logged, heard;
	struct msg_unanswered was;
	/* by position in `lanes` of lane.h: the queues' counters at the last look */
	struct queue_state seen[LANE_COUNT * LANE_SLOTS];
	uint32_t any; /* 1: the kernel's counters have come */
};

struct uninspected {
	struct unserved unserved;
	uint64_t look_at; /* monotonic ns */
};

struct unheard {
	uint64_t logged_was, heard_was; /* at the last look */
	struct deaf deaf;
	uint64_t look_at; /* monotonic ns */
};

void alarms_open(struct control *s);
void unanswered_told(struct control *s, const struct msg_unanswered *m);
void heard_told(struct control *s);
void away_told(struct control *s, const struct msg_away *m);
void uninspected_due(struct control *s, uint64_t now);
uint64_t uninspected_next(const struct control *s); /* monotonic ns */
void unheard_due(struct control *s, uint64_t now);
uint64_t unheard_next(const struct control *s); /* monotonic ns */
/* For `status` (docs/json.md). */
json_t *json_uninspected(const struct control *s);
json_t *json_unheard(const struct control *s);

/*
 * Once the clock is trusted, records when a window of the policy in force begins or ends, and when
 * a conduit begins (`starts`). Enforce and the kernel open and shut conduits (policy/ir/moment.h),
 * not this module. A file says up to which moment changes are recorded. So a new control repeats no
 * record, and adds records of the changes while no daemon ran.
 */

/* when several windows open (or shut) at the same time, so many of them get a record each; one
 * further record has the number of the others */
#define HOURS_TOLD 16u

struct hours {
	/* seconds since 1970, 0 = not known: all changes up to `looked_s` are recorded; the next
	 * change comes at `next_s` */
	uint64_t looked_s, next_s;
	/* the generation that these times belong to; UINT64_MAX = that in force at the start */
	uint64_t number;
};

void hours_open(struct control *s); /* from the disk */
void hours_due(struct control *s, uint64_t now);
uint64_t hours_next(const struct control *s); /* monotonic ns, UINT64_MAX = never */
/* For `status`: all windows of the policy in force, and which are open. */
json_t *json_windows(const struct control *s);

/* dispatch.c: the compiler will not do this work (a question, or an encryption). */
void work_undone(struct control *s, uint32_t id);

/* errands.c: work of the compiler for people, which waits for its turn */
struct errands; /* of errands.c */
/* `undone` is told of each piece of work that will have no answer. */
int work_open(struct control *s, void (*undone)(struct control *s, uint32_t id), struct err *e);
/* MSG_SEAL or MSG_ASK; the descriptors stay the caller's. False: there is no place. */
bool work_put(struct control *s, uint32_t id, const struct msg_body *body, const int *fds, size_t n);
/* The asker of this work has left. */
void work_stop(struct control *s, uint32_t id);
/* The answer to the work `id` has come; `gone`: the supervisor says that none will come. id 0: the
 * work that the supervisor has. */
void work_told(struct control *s, uint32_t id, bool gone);
void work_due(struct control *s);
uint64_t work_next(const struct control *s); /* monotonic ns, UINT64_MAX = never */

/* Whether the clock follows a source of time (clock.c). */

struct clock_source {
	uint64_t look_at; /* monotonic ns */
	struct clock_follow follow;
	bool read;    /* an earlier control's state was looked for */
	bool unsaved; /* the last settled state is not in the folder yet */
};

void source_due(struct control *s, uint64_t now);
uint64_t source_next(const struct control *s); /* monotonic ns, UINT64_MAX = never */
/* Since when (wall ns) the kernel's present answer is valid; 0 = not known. */
uint64_t source_since(const struct control *s, enum clock_sync now);

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
	enum lang lang;
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
	struct msg_standing facts;
	struct sentence workers_said; /* facts.c */
	/* as the supervisor stores them; owned, NULL = not told yet */
	json_t *doors, *isolations;
	uint64_t trial;		  /* generation on trial, 0 = none */
	uint64_t step;		  /* generation_step() of the supervisor's store */
	bool busy;		  /* the policy in force is being changed */
	uint32_t changes;	  /* how many changes have begun */
	bool trusted;		  /* the clock is trusted */
	uint64_t wanted, running; /* bit n: slot n */
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
	bool draft_unsaved;		       /* the draft is not on the disk */
	uint64_t save_again;		       /* monotonic ns */
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
};

/* ground.c */
uint64_t now_ns(void);
void say_line(const struct control *s, enum message m, ...); /* one line on standard error */
void machine_record(struct control *s, uint8_t what, struct said x);
void policy_record_of(struct control *s, enum policy_event what, uint64_t number, struct said x);
/* Records a policy event. `by`: the person; `object`: the subject; NULL = none. */
void policy_record(struct control *s, enum policy_event what, uint64_t number, const char *by, const char *object);
/* Sends a question to the role in that slot, or to the supervisor itself. False: it was
 * not sent. */
bool ask_slot(struct control *s, unsigned slot, uint32_t number, const struct msg_body *question, const int *fds,
	      size_t n);
bool slot_is_wanted(const struct control *s, unsigned slot);

/* told.c: handles reports of the supervisor about its state. False: the report is invalid. */
bool told_standing(struct control *s, struct msg *m);
bool told_past(struct control *s, struct msg *m);
bool told_generation(struct control *s, struct msg *m);

/* A generation in a memfd, as in MSG_GENERATION; NULL: it is not valid. */
struct in_force *in_force_read(int fd, uint32_t n_sealed, uint32_t n_ids);
void in_force_free(struct in_force *p); /* accepts NULL */

/*
 * impact.c: the effect of an operation on live sessions. The supervisor passes on what enforce says
 * of these sessions (impact_told), gives the workers the table, and waits while control asks the
 * workers (impact_weigh).
 */
struct impact; /* of impact.c */
int impact_open(struct control *s, struct err *e);
/* What the compiler says of the policy. */
void impact_meant(struct control *s, struct msg *m);
void impact_told(struct control *s, struct msg *m);
void impact_weigh(struct control *s, struct msg *m);
/* A worker's answer. */
void impact_foretold(struct control *s, struct msg *m);
/* The question with this id did not reach its worker. */
void impact_unasked(struct control *s, uint32_t id);
void impact_gone(struct control *s, unsigned slot); /* its process has ended */
void impact_due(struct control *s, uint64_t now);
uint64_t impact_next(const struct control *s); /* monotonic ns, UINT64_MAX = never */
/* The answer `j` to the order `id` has come: adds what is known of the effect. NULL: nobody
 * waits. */
void impact_answer(struct control *s, uint32_t id, json_t *j);

/* facts.c: what people are told of the box, from the supervisor's report of its state. */
void facts_told(struct control *s, struct msg *m);
/* Writes a line when the number of workers differs from the requested one, unless the last call
 * found the same. */
void workers_say(struct control *s);
json_t *json_generation(const struct control *s);
json_t *json_clock(const struct control *s);
json_t *json_roles(const struct control *s);
json_t *json_by_kind(const uint64_t n[LANE_KINDS]);
json_t *json_isolations(const struct control *s);
json_t *json_doors(const struct control *s);
bool door_is_open(const struct control *s, const char *door);
/* refusal.c: why an operation was refused, in words; NULL: `error` has no reason of enum
 * op_refusal */
json_t *refusal_json(const struct control *s, const json_t *error);
/* Fills in what the supervisor has left to control (null) in its answer to an order. */
json_t *told_answer(const struct control *s, json_t *j);

/* show.c: the texts of a stored generation, and of the one before it; 0 = the one in force */
int show_open(struct control *s, struct err *e);
void show_generation(struct control *s, struct asker a, const struct msg_show *q);
/* Passes MSG_ASK on, with the generation that was in force at the time in question. */
void show_asked(struct control *s, struct asker a, const struct msg_body *question);
/* Answers what was allowed at a moment, from the generation that was in force then
 * (docs/json.md, effective). */
void show_standing(struct control *s, struct asker a, uint64_t at_s);
void show_told(struct control *s, struct asker a, int status, int fd);
/* The record and the texts of a generation, from its sealed bytes (a descriptor, -1 = none); NULL:
 * it cannot be read. */
json_t *json_kept(const struct control *s, const struct generation_record *g, int fd, struct err *e);

/* The status of a role as JSON (docs/json.md). */

/* `index`: which worker or gate. Owned by the caller. */
json_t *role_json(const struct msg_body *says, uint32_t index);

/*
 * The right that each question at the control socket needs, for people at the machine who are not
 * root but have an account. One table. Pure.
 */

/* RIGHT_COUNT: only root may ask. This applies to every question that is not in the table. */
enum right at_machine_right(const struct msg_body *b);
/* Whether the order is recorded under the person's own name, or is a personal decision. Such an
 * order is refused from a person who has changed to another login (su, sudo -u). */
bool at_machine_own(const struct msg_body *b);

/* A queued answer, and its asker. */

struct answer {
	struct answer *next;
	struct asker to;
	int status;   /* enum answer_status */
	int fd;	      /* owned; -1 = none */
	json_t *json; /* owned; the JSON that answer_pack writes to `fd` */
	bool of_json;
};

/* The number of answers for which memory is reserved: one for each asker at a time. An asker would
 * wait for ever if there were no memory for its answer. */
#define ANSWERS_SPARE 256u

/* At the start. 0 or negative errno. */
int answer_open(struct control *s, struct err *e);
/* Takes the oldest answer, which the caller then owns. False: there is none. */
bool answer_take(struct control *s, struct answer *ret);
/* Takes the newest answer out again, for a caller that has just queued it. */
bool answer_take_last(struct control *s, struct answer *ret);
/* Writes the JSON to a descriptor. Returns the status to send, which is not YES when memory
 * is out. */
int answer_pack(struct answer *a);
void answer_free(struct answer *a);

#endif
