/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal role, for its own files alone:
 *
 *   role.c           start, loop, end
 *   flood.c          how many records a host or role may cause, and events in brief
 *   room.c           the disk: how full it is, its reserve, and what waits for room
 *   role_take.c      a record that comes in: its time, merging, sums
 *   role_write.c     lines, signatures over lines, and what waits while the disk is full
 *   role_keep.c      old files, and how full the disk is
 *   role_hold.c      legal holds, which keep files
 *   role_device.c    the register of devices
 *   role_weak.c      servers with weak TLS
 *   role_clean.c     for how long conduits that observe had nothing to refuse
 *   role_attack.c    signs of attacks
 *   role_trends.c    counts by hour, for charts over time
 *   role_files.c     the files, for somebody who takes a copy or asks whether they are whole
 *   role_messages.c  messages and questions of the supervisor
 */
#ifndef SEKISHO_JOURNAL_ROLE_PRIVATE_H
#define SEKISHO_JOURNAL_ROLE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/journal/attack.h"
#include "appliance/journal/chain.h"
#include "appliance/journal/checkpoint.h"
#include "appliance/journal/clean.h"
#include "appliance/journal/closed.h"
#include "appliance/journal/hold.h"
#include "appliance/journal/known.h"
#include "appliance/journal/names.h"
#include "appliance/journal/search.h"
#include "appliance/journal/trends.h"
#include "appliance/journal/verify.h"
#include "appliance/journal/weak.h"
#include "appliance/wire/event.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/msg_json.h"

/*
 * Records who has read which records. Single questions are combined. Journal role only; pure, with
 * a fixed amount of memory.
 *
 * Equal questions of one person from one address are one reading. The first record of a reading
 * comes two seconds after the first question, and further ones every five minutes while it
 * continues. Each has the number of questions and of returned records. While a reader who waits for
 * new records gets only records of readings, no further record is made until the reading ends:
 * otherwise each record of a reading would cause the next.
 */

#define ACCESS_SLOTS 64u
/* different questions of one reader that are recorded separately; further ones are recorded
 * together */
#define ACCESS_EACH 8u
#define ACCESS_FIRST_NS 2000000000ull
#define ACCESS_AGAIN_NS 300000000000ull

struct access_reader {
	bool web;
	struct addr from; /* family 0 = at the machine */
	char by[USER_BY];
};

struct access_slot {
	bool used;
	struct access_reader who;
	char what[EVENT_TEXT];
	uint64_t due_ns;	 /* monotonic */
	uint64_t wall_ns;	 /* wall ns of the last question */
	uint64_t reads, records; /* not recorded yet: questions, returned records */
	/* since the last record of this reading: `asked`: there was a question; `fresh`: a question
	 * returned records that are not about readings */
	bool asked, fresh;
	bool told; /* the reading has been recorded once, and continues */
};

/* Start from zero bytes. */
struct access {
	struct access_slot slots[ACCESS_SLOTS];
};

/* Writes the question as options of the command line; "" where there is no filter. */
void access_filter_text(const struct event_filter *f, char out[EVENT_TEXT]);
/*
 * Notes a question that was answered with `records` records, of which `fresh` are not about
 * readings. True: *ret is to be written now, because room had to be made.
 */
bool access_in(struct access *a, const struct access_reader *who, const char *what, uint64_t records, uint64_t fresh,
	       uint64_t now_ns, uint64_t wall_ns, struct event *ret);
/* The next record that is due; `all`: the next one, due or not. Call until it returns false. */
bool access_out(struct access *a, uint64_t now_ns, bool all, struct event *ret);
/* When the next record may be due; UINT64_MAX = none. */
uint64_t access_due(const struct access *a);

/*
 * How full the file system of the records is, and when it will be full. "Nearly full" begins at 90
 * % of its bytes or files and ends below 85 %, so that small changes do not cause repeated alarms.
 * The time until it is full is computed from the growth within the last day, if there was growth
 * and a day has been seen. That includes the daily backup and the deletion of records. Only
 * disk_read reads the disk.
 */

#define DISK_LOOK_NS 10000000000ull
#define DISK_HOURS 24u

/* The room that the journal can use. Blocks that the file system reserves for root count as neither
 * used nor free. */
struct disk_room {
	uint64_t bytes, free;
	uint64_t files, files_free; /* files 0 = no limit */
};

enum disk_change { DISK_SAME, DISK_NEARLY_FULL, DISK_ROOM_AGAIN };

struct disk {
	bool known; /* the last reading succeeded */
	struct disk_room room;
	bool near;
	uint64_t since_ns;	   /* wall ns since when it is nearly full */
	uint64_t used[DISK_HOURS]; /* bytes used at each of the last full hours, a ring buffer */
	uint64_t n;		   /* hours seen */
	uint64_t hour_at;	   /* monotonic ns: when the next hour is stored */
};

/* 0, or negative errno. */
int disk_read(int dirfd, struct disk_room *ret);
/* Bytes that the files of that folder take; 0 also when it cannot be read. */
uint64_t disk_of_folder(int dirfd);
/* Takes a reading. `room` NULL: the disk could not be read; the state does not change then. */
enum disk_change disk_take(struct disk *d, const struct disk_room *room, uint64_t now, uint64_t wall_ns);
/* Percent in use, rounded down, of bytes or of files, whichever is larger; 100 = nothing is
 * left. */
unsigned disk_used_percent(const struct disk *d);
/* Seconds until it is full at the rate of the last day; 0 = not known, or no growth. */
uint64_t disk_full_in(const struct disk *d);

/*
 * Merges floods: equal records within a second become one record with a count. Journal role only;
 * pure, with a fixed amount of memory. The first records of a kind pass at once; the counts are
 * exact.
 */

#define MERGE_SLOTS 1024u
#define MERGE_WINDOW_NS 1000000000ull

struct merge_slot {
	bool used;
	enum role from;
	/* the newest record of its kind; its count is that of the held-back records */
	struct event event;
	uint64_t since_ns; /* monotonic ns: start of the window */
	uint32_t passed;   /* records that passed in this window */
};

/* Start from zero bytes. */
struct merge {
	struct merge_slot slots[MERGE_SLOTS];
	uint64_t merged; /* records that became part of another */
};

/*
 * Takes a record at `now_ns`. True: *ret (and its role) is to be written now; it may be another
 * record, when room had to be made. False: the record is held back.
 */
bool merge_in(struct merge *m, const struct event *e, enum role from, uint64_t now_ns, struct event *ret,
	      enum role *ret_from);
/* The next held-back record whose window is over; `all`: the next one, over or not. Call until it
 * returns false. */
bool merge_out(struct merge *m, uint64_t now_ns, bool all, struct event *ret, enum role *ret_from);
/* When the next one is due; UINT64_MAX = none. */
uint64_t merge_due(const struct merge *m);

/*
 * Limits how much hosts can make the box write. Each host and each interface (or, where that is not
 * known, network) has a share of the records, so that a host can neither fill the disk nor hide
 * what others do. Records above the share become sums: one every ten seconds for each kind,
 * verdict, reason and interface. A sum has what all its records have in common, and the exact
 * number of packets and records. Records of policy, drift, roles, machine, devices and readings are
 * never summed.
 *
 * A compromised role can name other hosts and interfaces each time. So each role has a share, too:
 * for all lines from its records, and separate ones for counts of accepted commands and for reports
 * of lost records. Above these, there is one sum every ten seconds for each kind. The shares of a
 * role are larger than what hosts can make an honest role write, except with very many workers or
 * interfaces. Journal role only; pure, with a fixed amount of memory.
 */

#define SHARE_BUCKETS 4096u
#define SHARE_SUMS 512u
#define SHARE_SUM_NS 10000000000ull

struct share_bucket {
	uint64_t filled_ns;
	uint32_t milli; /* used tokens in thousandths; 0 = all tokens are available */
};

struct share_sum {
	uint64_t records; /* 0 = free */
	uint64_t since_ns;
	enum role from;
	/* what the records have in common; its count is the sum of their counts */
	struct event event;
};

/* The shares of a role. */
enum share_pace { SHARE_TRAFFIC, SHARE_PASSED, SHARE_COUNTS, SHARE_LOST, SHARE_PACES };

/* Start from zero bytes. */
struct shares {
	struct share_bucket buckets[SHARE_BUCKETS];
	struct share_bucket roles[ROLE_COUNT][SHARE_PACES];
	struct share_sum sums[SHARE_SUMS];
	/* sums of records above a role's share */
	struct share_sum rest[ROLE_COUNT][EVENT_KIND_COUNT];
	uint64_t summed; /* records that became part of a sum */
};

/* True: the record is within its share and is to be written. False: it was added to a sum. */
bool share_in(struct shares *s, const struct event *e, enum role from, uint64_t now_ns);
/* The next sum whose time is over, of *ret_records records; `all`: the next one, over or not. Call
 * until it returns false. */
bool share_out(struct shares *s, uint64_t now_ns, bool all, struct event *ret, enum role *ret_from,
	       uint64_t *ret_records);
/* When the next one is due; UINT64_MAX = none. */
uint64_t share_due(const struct shares *s);

/*
 * The journal's signing key: a file `key` in a folder of its own, which is never copied with the
 * records and which only the journal role reads. Its public part is `checkpoint.pem` beside the
 * records. The key file contains both parts, so that a flipped bit shows as a damaged file and not
 * as another key.
 *
 * If checkpoint.pem shows that there was a key, but the key is missing or damaged, a new key is
 * made. A damaged file is set aside, and the caller records the loss. A key that cannot be read
 * because of its permissions or the disk is not replaced: it stays, and nothing is signed until a
 * person has removed it.
 */

struct signer {
	bool ready;
	uint8_t secret[CHECKPOINT_KEY], public[CHECKPOINT_KEY];
};

/*
 * Reads the key, or makes one. `keys`: the folder of the key; `records`: the folder of the journal.
 * *ret_lost: an earlier key is lost; *why says how. 0, or negative errno: there is no key yet, and
 * the call may be repeated.
 */
int signer_open(int keys, int records, struct signer *s, bool *ret_lost, struct err *why);
void signer_sign(const struct signer *s, const char *text, size_t n, uint8_t out[CHECKPOINT_SIGNATURE]);

/*
 * Room on the disk that is reserved for serious records: the file `reserve`, whose blocks are
 * allocated but unused. When the disk is full, the reserve is given back piece by piece; it is
 * built again when there is room. Journal role only.
 *
 * There is no reserve if the file system cannot allocate blocks without writing.
 */

#define RESERVE_BYTES (1u << 20) /* bytes; about 1,400 records */
#define RESERVE_SHARE 64u	 /* the reserve is at most 1/64 of the file system */
/* bytes given back at a time, because other programs may use the room first */
#define RESERVE_PIECE 4096u

/* All zeros: there is no reserve, and none is wanted. */
struct reserve {
	int dirfd;     /* borrowed */
	int fd;	       /* -1: not open */
	bool wanted;   /* a reserve is wanted and possible */
	uint64_t size; /* bytes that are allocated */
	uint64_t whole;
};

/* Begins a reserve; blocks that the file has stay allocated. reserve_build completes it. */
void reserve_begin(int dirfd, struct reserve *r);
void reserve_end(struct reserve *r);
/* Completes the reserve. 0 = it is complete, or not possible; negative errno: it is unchanged. */
int reserve_build(struct reserve *r, struct err *e);
/* Gives a piece back. False: nothing is left. */
bool reserve_release(struct reserve *r);

/*
 * Records that wait for room on the disk: a fixed amount of memory, ordered by class. When it is
 * full, a record of the least serious class is dropped, the newest first. Dropped records are
 * counted by class, with the times of the first and the last, until wait_told. Reports of lost
 * records of the same role are merged. Such a report is dropped only when no slot can be freed for
 * it, and its count is then kept. Journal role only; pure.
 */

#define WAIT_SLOTS 256u

/* Classes, the most serious first. */
enum wait_class {
	WAIT_POLICY,  /* changes of what the box enforces */
	WAIT_BOX,     /* drift, roles, the machine; missing records */
	WAIT_OTHER,   /* other events of the box, and counts of accepted commands */
	WAIT_TRAFFIC, /* events caused by hosts: packets, commands, sessions, clients of the API */
	WAIT_CLASSES
};
/* The least serious class that may use the reserve (room.c). */
#define WAIT_GRAVE WAIT_BOX

struct wait_record {
	struct event event;
	enum role from;
	uint64_t records; /* number of records of which this is the sum; 1 = a single record */
	uint64_t number;  /* order of arrival; 0 = a free slot */
};

struct wait_dropped {
	/* times of the first and the last dropped record, by their own wall time; 0 = none was
	 * dropped */
	uint64_t first_ns, last_ns;
	uint64_t of[WAIT_CLASSES]; /* records */
	/* packets or requests that the dropped records of WAIT_TRAFFIC stand for */
	uint64_t packets;
	uint64_t lost; /* lost records that the dropped reports counted */
};

/* Start from zero bytes. */
struct wait {
	struct wait_record slots[WAIT_SLOTS];
	size_t n[WAIT_CLASSES];
	uint64_t numbers; /* numbers given so far */
	struct wait_dropped dropped;
};

const char *wait_class_word(enum wait_class c);
enum wait_class wait_class_of(const struct event *e);
void wait_in(struct wait *w, const struct event *e, enum role from, uint64_t records);
/* The first record of the most serious class, down to class `to`; NULL = none. It stays until
 * wait_taken. */
const struct wait_record *wait_first(const struct wait *w, enum wait_class to);
void wait_taken(struct wait *w, const struct wait_record *r);
/* Drops and counts all records that are less serious than `kept`. */
void wait_drop(struct wait *w, enum wait_class kept);
size_t wait_count(const struct wait *w);
/* The number of dropped records that are not reported yet. */
uint64_t wait_dropped(const struct wait *w);
/* The dropped records have been reported. */
void wait_told(struct wait *w);

#define SOURCES 48u
#define WHY sizeof(((struct err *)0)->text)
#define QUESTIONS 64u
/* ns until the next attempt, when the disk could not be written */
#define RETRY_NS 1000000000ull
/* ns until the next attempt, after a failure with closed files or for lack of room */
#define PACK_AGAIN_NS 600000000000ull

struct source {
	int fd;
	enum role role;
	uint32_t index;
};

struct waiting {
	uint32_t id;
	struct msg_body body; /* EVENTS or EXPLAIN */
};

#define HEARING_MOST 16u

/* Messages that came during a search, to be handled in order when it is over. Texts are inside the
 * messages, so messages are not moved. */
struct journal_hearing {
	struct msg kept[HEARING_MOST];
	size_t n;
	int broken;    /* negative errno of the channel */
	uint32_t work; /* the question that is being answered */
	bool stop;     /* the asker does not wait any more */
	/* number of searches that ended because their asker did not wait any more */
	uint64_t stopped;
};

#define DEVICE_PACES 64u

/* For an interface: how many records of new devices are still allowed, and how many devices were
 * not recorded one by one. */
struct device_pace {
	uint32_t iif, taken;
	uint64_t filled_ns; /* monotonic */
	uint64_t over, since_ns;
	struct event_generation generation;
};

/* A new device that has not announced an IP address yet; its MAC address is heard before that. */
struct device_pending {
	uint32_t number; /* 0 = free */
	uint32_t iif;
	struct event_generation generation;
	struct known_told told;
	uint64_t due_ns; /* monotonic ns: when it is recorded without an address */
};

#define DEVICE_PENDING 64u

/* A check whether the records are whole (role_files.c). */
struct role_check {
	struct journal_check *check; /* owned; NULL = none */
	struct checkpoint_keys keys;
	struct journal_trust trust; /* the keys that the check uses */
	bool signs;		    /* there are keys */
	uint64_t asked_at, done_at; /* monotonic ns; done_at 0 = the check goes on */
};

struct journal_role {
	struct journal chain;
	struct names names;
	struct merge merge;
	struct shares shares;
	struct source sources[SOURCES];
	size_t n_sources;
	struct waiting asked[QUESTIONS]; /* waiting questions, in order */
	size_t n_asked;
	struct journal_hearing hearing;
	uint64_t sync_at;    /* monotonic ns: latest time of the next sync; 0 = nothing to sync */
	uint64_t lost;	     /* records that other roles could not send */
	uint64_t malformed;  /* messages that are invalid, or not allowed for the role */
	uint64_t unwritable; /* records that are too large for a line */
	struct wait wait;
	struct reserve reserve;
	bool pressed; /* the disk cannot be written, or the reserve is incomplete: records wait */
	bool full;    /* they wait for lack of room, not because of a failure of the disk */
	uint64_t retry_at;
	struct disk disk;
	uint64_t disk_at;	/* monotonic ns: when the disk is looked at next */
	uint64_t records_bytes; /* bytes in the folder of the records */
	struct pack *pack;	/* the segment that is being packed, NULL = none */
	uint64_t pack_at;	/* monotonic ns: earliest time of the next packing */
	bool looked;		/* there was nothing to pack while looked_at was the open segment */
	uint64_t looked_at;
	struct index *index; /* the index that is being made for a closed segment; NULL = none */
	uint64_t index_at;   /* monotonic ns: earliest time of the next indexing */
	/* indexed_below: closed segments from this number on need no further work; 0 = none needs
	 * any. indexed_of: the open segment at that time */
	uint64_t indexed_below, indexed_of;
	uint8_t index_key[INDEX_KEY]; /* valid while there is a signing key */
	struct keep_rule rule;
	/* monotonic ns: when to look next whether the oldest file is to be deleted; 0 = there is no
	 * rule */
	uint64_t keep_at;
	/* monotonic ns: when to look next whether the open file is a day old; 0 = not set yet */
	uint64_t turn_at;
	uint64_t told_last; /* number of the last record whose deletion was recorded */
	bool told_signed;   /* the record of that deletion is signed */
	/* monotonic ns: the earliest time of the next deletion for room */
	uint64_t room_at;
	/* why the last round could not delete the oldest file or find out whether it is due; "" =
	 * the round had no error */
	char stuck[WHY];
	struct holds holds;
	bool held; /* a hold is the reason why the oldest file stays */
	struct access readings;
	struct known known;
	struct device_pace device_paces[DEVICE_PACES];
	struct device_pending device_pending[DEVICE_PENDING];
	uint64_t devices_at,
		/* monotonic ns: earliest times of the next save of the register: `devices_at` if
		 * something changed, `devices_times_at` if only times of last hearing did */
		devices_times_at;
	struct role_check check;
	struct trends trends;
	uint64_t trends_at;	 /* monotonic ns: earliest time of the next save */
	struct event trends_pdu; /* the last event, if it was a refused request */
	struct weak_list weak;
	/* monotonic ns: earliest times of the next save, as for the devices */
	uint64_t weak_at, weak_times_at;
	struct weak_steady weak_steady;
	uint64_t weak_tidy_at; /* monotonic ns: latest time of the next weak_tidy */
	struct clean clean;
	/* monotonic ns: when the observing conduits are to be read from the newest generation; 0 =
	 * this is done */
	uint64_t clean_rule_at;
	uint64_t clean_at,
		/* monotonic ns: earliest times of the next save: `clean_at` for changes,
		 * `clean_alive_at` for the mark that the conduits are watched */
		clean_alive_at;
	uint64_t clean_heard_ns; /* wall ns of the last event of a worker */
	struct event clean_last; /* the last event that was counted in `clean` */
	struct attacks attacks;
	/* monotonic ns: earliest times of the next save, as for the devices */
	uint64_t attack_at, attack_counts_at;
	/* monotonic ns: when to look next whether a self-test is due */
	uint64_t attack_look_at;
	struct weak_steady attack_steady;
	/* folder of the signing key; 0 = signatures are not wanted; -1 = there is no folder, so
	 * nothing is signed, and this is recorded */
	int key_folder;
	struct signer signer;
	json_t *last_checkpoint; /* the last checkpoint as in its record, NULL = none yet; owned */
	/* records since the last checkpoint, as far as this process knows */
	uint64_t unsigned_n;
	/* monotonic ns: latest time of the next signature; 0 = there is nothing to sign */
	uint64_t sign_at;
	bool signing;	    /* a checkpoint is being written */
	uint64_t signed_to; /* the last record that this process signed, 0 = none */
	char no_key[WHY];   /* why there is no key to sign with, "" = there is one */
	uint64_t no_key_at; /* monotonic ns: when the lack of a key is recorded again */
	/* the journal was empty at the start, and the supervisor has not said yet whether a
	 * generation was in force before */
	bool was_empty;
	uint64_t failures;
	char trouble[WHY]; /* why the disk cannot be written, "" = it can */
};

/* ---- role_take.c ----------------------------------------------------------------------------- */

/* Takes a record of a role: checks its time, then merges it, adds it to a sum, or writes it. */
void role_take(struct journal_role *j, const struct event *e, enum role from);
/* Writes sums and merged records that are due; with `all`, all of them. */
void role_write_merged(struct journal_role *j, bool all);

/* ---- role_write.c ---------------------------------------------------------------------------- */

/* Records an event about the journal itself; `object` may be NULL. */
void role_put_own(struct journal_role *j, enum lost_event what, uint64_t count, uint64_t value, const char *object);
/* Writes an event, or lets it wait for room. `records`: the number of records that it sums up; 1 =
 * a single record. */
void role_put(struct journal_role *j, const struct event *e, enum role from, uint64_t records);
/* The record of an event as JSON: a new reference, NULL = no memory. */
json_t *role_record(const struct journal_role *j, const struct event *e, enum role from, uint64_t records);
/* Writes a record now or not at all; takes the reference. `grave`: it may use the reserve. False:
 * the disk cannot be written. True: it is written, or counted as unwritable; in that case it got
 * no number. */
bool role_write(struct journal_role *j, json_t *record, bool grave);
void role_sync(struct journal_role *j, uint64_t now, bool at_once);

/* Signs the lines when there are enough unsigned ones, or a file is full. */
void role_sign_written(struct journal_role *j);
/* Signs the lines when enough time has passed. */
void role_sign(struct journal_role *j, uint64_t now);
/* Signs now. `grave` as in role_write. False: the disk cannot be written or there is no key, and
 * this will be tried again; or there is no record. */
bool role_checkpoint(struct journal_role *j, bool grave);
/* Records that evidence was preserved, signs that record, and signs the digest of the evidence.
 * Returns the answer. */
json_t *role_preserved(struct journal_role *j, const struct msg_preserve *m, enum answer_status *ret);
/* Reads or makes the signing key if that was not done yet. False: there is none; j->no_key says
 * why. */
bool role_key(struct journal_role *j);

/* Opens the chain in a folder and makes the reserve. If there is no room for the reserve, records
 * wait. 0, or negative errno: no chain. */
int role_open(struct journal_role *j, int dirfd, struct journal_recovery *ret, struct err *e);
/* Whether a negative errno means a full disk. */
bool role_no_room(int code);
/* From now on records wait for room. */
void role_press(struct journal_role *j, const struct err *e);
/* When it is time to try again: writes waiting records, the most serious first, and then the record
 * of the dropped ones. */
void role_retry(struct journal_role *j, uint64_t now);
/* At the end of the process: uses up the reserve; less serious records that still wait are counted
 * as left out. */
void role_room_end(struct journal_role *j);

/* ---- role_files.c ---------------------------------------------------------------------------- */

/* Answers MSG_COPY, and records the reading. False: the answer could not be sent. */
bool role_copy(struct journal_role *j, uint32_t id, const struct msg_copy *asked);

/* Checks some more records. Returns {"more":true,"records"} while there are more, and at the end
 * what `journal verify` says; a new reference. */
json_t *role_check_json(struct journal_role *j, uint64_t now, enum answer_status *ret_status);
uint64_t role_check_due(const struct journal_role *j);
/* Ends a check that nobody asks about. */
void role_check_left(struct journal_role *j, uint64_t now);

/* ---- role_keep.c ----------------------------------------------------------------------------- */

/* Makes one step for closed files when it is due: deletes, packs or indexes one. */
void role_keep(struct journal_role *j, uint64_t now);
/* Sets the rule that applies from now on. */
void role_keep_rule(struct journal_role *j, const struct keep_rule *rule);
/* When the next step is due; UINT64_MAX = none. */
uint64_t role_keep_due(const struct journal_role *j);

/* ---- role_hold.c ----------------------------------------------------------------------------- */

/* Reads the holds at the start. If they cannot be read, this is recorded. */
void role_hold_open(struct journal_role *j);
/* True when one of the holds stands for a list that could not be read. */
bool role_hold_damaged(const struct journal_role *j);
/* Whether a hold keeps this file. */
bool role_hold_keeps(struct journal_role *j, const struct keep_file *f);
/* Carries out an order of a person about holds, and returns the answer. */
json_t *role_hold_order(struct journal_role *j, const struct msg_hold *m, enum answer_status *ret);

/* ---- role_device.c --------------------------------------------------------------------------- */

/* Reads the list of devices. If there is none that can be read, this is recorded, and a new
 * list begins. */
void role_device_open(struct journal_role *j);
/* A device was heard. */
void role_device_heard(struct journal_role *j, const struct event *e);
/* Does what is due: records new devices and sums, and saves the register. `all`: at the end of the
 * process, everything that is pending. */
void role_device_write(struct journal_role *j, uint64_t now, bool all);
/* Monotonic ns when role_device_write is next due; UINT64_MAX = never. */
uint64_t role_device_due(const struct journal_role *j);
/* Fills in the part about devices. */
void role_device_status(const struct journal_role *j, struct msg_journal_status *ret);
/* Carries out an order of a person about devices, and returns the answer. `fd`: the copy that comes
 * with DEVICES_TRY and DEVICES_TAKE, else -1; the caller keeps it. */
json_t *role_device_order(struct journal_role *j, const struct msg_devices *m, int fd, enum answer_status *ret);

/* ---- role_weak.c ----------------------------------------------------------------------------- */

/* Reads the list of servers. If it cannot be read, this is recorded. */
void role_weak_open(struct journal_role *j);
/* Takes an event about sessions with weak TLS. */
void role_weak_seen(struct journal_role *j, const struct event *e);
/* Takes the event that a person has signed a review of records. */
void role_weak_reviewed(struct journal_role *j, const struct event *e);
/* Saves the list when that is due; `all`: at the end of the process, whatever is not saved. */
void role_weak_write(struct journal_role *j, uint64_t now, bool all);
/* Monotonic ns when role_weak_write is next due; UINT64_MAX = never. */
uint64_t role_weak_due(const struct journal_role *j);
/* Fills in the part about weak TLS. */
void role_weak_status(const struct journal_role *j, struct msg_journal_status *ret);

/* ---- role_clean.c ---------------------------------------------------------------------------- */

void role_clean_open(struct journal_role *j);
/* Takes any event, and counts what an observing conduit would have refused. */
void role_clean_heard(struct journal_role *j, const struct event *e, enum role from);
/* To be called when a generation was added to the names. */
void role_clean_rule(struct journal_role *j);
/* Reads the observing conduits and saves the file, each when due; `all`: saves at the end of the
 * process. */
void role_clean_write(struct journal_role *j, uint64_t now, bool all);
/* Monotonic ns when role_clean_write is next due; UINT64_MAX = never. */
uint64_t role_clean_due(const struct journal_role *j);
/* How long each conduit has been clean, for people. */
json_t *role_clean_json(struct journal_role *j);

/* ---- role_attack.c --------------------------------------------------------------------------- */

/* Reads the alarms of attacks. If they cannot be read, this is recorded. */
void role_attack_open(struct journal_role *j);
/* To be called when a generation was added to the names: its thresholds may differ. */
void role_attack_rule(struct journal_role *j);
/* Evaluates a record. If an alarm rings, this is recorded. */
void role_attack_heard(struct journal_role *j, const struct event *e);
/* Does what is due: ends silences, runs a self-test, saves the file. `all`: at the end of the
 * process, saves whatever is not saved. */
void role_attack_write(struct journal_role *j, uint64_t now, bool all);
/* Monotonic ns when role_attack_write is next due; UINT64_MAX = never. */
uint64_t role_attack_due(const struct journal_role *j);
/* Fills in the part about attacks. */
void role_attack_status(const struct journal_role *j, struct msg_journal_status *ret);
/* Carries out an order of a person about alarms, and returns the answer. */
json_t *role_attack_order(struct journal_role *j, const struct msg_attacks *m, enum answer_status *ret);

/* ---- role_trends.c --------------------------------------------------------------------------- */

void role_trends_open(struct journal_role *j);
/* Takes any event. True: it exists only for these counts, and no record is made of it. */
bool role_trends_heard(struct journal_role *j, const struct event *e);
/* Takes an event of which a record is about to be written. */
void role_trends_put(struct journal_role *j, const struct event *e);
/* Saves the counts when that is due; `all`: at the end of the process. */
void role_trends_write(struct journal_role *j, uint64_t now, bool all);
/* Monotonic ns when role_trends_write is next due; UINT64_MAX = never. */
uint64_t role_trends_due(const struct journal_role *j);
/* The answer to a question about trends. */
json_t *role_trends_json(struct journal_role *j, const struct msg_trends *m);

/* ---- role_messages.c ------------------------------------------------------------------------- */

/* Reads the generations that wait. To be called before any record is read. */
void role_names(struct journal_role *j);
/* Reads all waiting messages; questions about records are queued. False: the supervisor has ended,
 * or sent a message that is not allowed. */
bool role_hear(struct journal_role *j);
/* Whether messages came meanwhile that role_hear has to handle. */
bool role_heard(const struct journal_role *j);
/* Answers one queued question, if there is one. False: the supervisor has ended. */
bool role_answer(struct journal_role *j);

/* role_keep.c: how full the disk is. */
uint64_t role_disk_due(const struct journal_role *j); /* monotonic ns */
void role_disk(struct journal_role *j, uint64_t now);
void role_disk_status(const struct journal_role *j, struct msg_journal_status *ret);

#endif
