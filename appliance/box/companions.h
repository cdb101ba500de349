/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration files of the programs that communicate for the box from the admin namespace:
 * chronyd, rsyslogd, upsmon, sekisho-notify, sekisho-inform and sekisho-fetch (two files). The
 * texts are made from the peers of a generation. The daemon starts none of these programs: the
 * first three are Debian's and run as units of their own (images/systemd); a person starts
 * sekisho-fetch. Pure: supervise/companions.c writes the files.
 */
#ifndef SEKISHO_BOX_COMPANIONS_H
#define SEKISHO_BOX_COMPANIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "appliance/base/sentence.h"
#include "policy/ir/ir.h"

/* Most bytes of a file: about four times as many as the longest files have (sixteen time sources,
 * or a long path twice). */
#define COMPANION_TEXT 8192u

/* How many records may be sent to a log server by RELP before the first of them is acknowledged.
 * After a start, images/log repeats as many. */
#define COMPANION_WINDOW 16u

/* The beginning of every EVE line (mgmt/words/eve.h). No record of the box begins in this way. */
#define COMPANION_EVE "{\"timestamp\":"

/* The files, by the program that reads each. */
enum companion_file {
	COMPANION_TIME,	  /* chronyd, in sekisho-time.service */
	COMPANION_LOG,	  /* rsyslogd, in sekisho-log.service */
	COMPANION_UPDATE, /* sekisho-fetch (appliance/fetch/settings.c) */
	COMPANION_BACKUP, /* sekisho-fetch, for sekisho-backup.service: the server of backups */
	/* images/ups, in sekisho-ups.service, which makes the file of upsmon from it and from the
	 * password. The daemon never reads the password. */
	COMPANION_UPS,
	COMPANION_NOTIFY, /* sekisho-notify.service (mgmt/notify/outlet.h) */
	COMPANION_INFORM, /* sekisho-inform.service (mgmt/notify/outlet.h) */
	COMPANION_FILES
};

/* What the files say about the box that is not in the generation. */
struct companion_box {
	const char *state; /* the folder that contains the folder of the journal */
	const char *netns; /* the name of the admin namespace */
	enum lang lang;
};

const char *companion_file_name(enum companion_file f); /* in the run folder */
/*
 * Writes a file to `out`, with a NUL, and returns its length. 0: there is no file, because `ir` has
 * no such peer, or has a log server without `ca`. Negative errno: -EINVAL: a text is not plain
 * (wire/plain.h); -ENOSPC: the file is too long.
 */
int companion_file(enum companion_file f, const struct ir *ir, const struct companion_box *b, char out[COMPANION_TEXT]);

/* The only server for that use; NULL: `ir` has none. */
const struct ir_peer *companion_server(const struct ir *ir, enum peer_use use);
/* "ups@10.99.0.7:3493", "ups@[2001:db8:99::7]:3493": as NUT's programs take it; 64 + ADDR_TEXT + 9
 * bytes are enough. Returns `out`. */
const char *companion_ups_name(const struct ir_peer *p, char *out, size_t n);

/*
 * The status files of programs beside the daemon that communicate with the network: small files of
 * lines "KEY VALUE" in a fixed order. They are written by another user, who may be compromised, so
 * their form is checked strictly.
 */

#define COMPANION_LINE 120u /* bytes of a value, NUL included */

/* Reads the file into `out`, and returns its length. 0 when there is no file, or it has `size`
 * bytes or more. */
size_t companion_read(const char *path, uint8_t *out, size_t size);
/* Reads the value of the next line. If the line has another key, the value is "", and `b` fails. */
void companion_line(struct bytes *b, const char *key, char out[COMPANION_LINE]);
/* Reads a number of at most nine digits; -1 for "-". A fraction is ignored. */
int64_t companion_number(struct bytes *b, const char *key);
/* Reads the two lines with which every status file begins: when it was written, and about which
 * server. True when the file is about `of` and at most `fresh_s` seconds old at `now_s`. */
bool companion_begin(struct bytes *b, const char *of, uint64_t now_s, uint64_t fresh_s, uint64_t *ret_at);
/* Seconds since the machine started, by a clock that cannot be set. */
uint64_t companion_now_s(void);
/* Converts seconds since the machine started to a time, by the present clock. */
json_t *companion_time(uint64_t s);

/*
 * The file that box.cfg names as `ca`: certificates of authorities, which another program reads
 * under its own user. It is checked before an apply, because afterwards its failure would not be
 * reported to the person who applies.
 */

/* bytes; about four times the size of a system's whole collection of authorities */
#define AUTHORITY_MOST (1u << 20)

enum authority {
	AUTHORITY_READY,
	AUTHORITY_ABSENT,
	AUTHORITY_UNREAD,
	AUTHORITY_LINK,	  /* a symbolic link */
	AUTHORITY_CLOSED, /* not readable for others, so its reader, another user, cannot read it */
	AUTHORITY_FOLDER, /* other users cannot pass through a folder above it */
	AUTHORITY_NONE,	  /* no certificate in it */
	AUTHORITIES
};

extern const char *const authority_words[AUTHORITIES];

/* Checks a file. When it is ready, *ret_text is its text (malloc'd, owned by the caller); otherwise
 * *ret says what is wrong. `path` is absolute. The certificates are not parsed. */
enum authority authority_look(const char *path, uint8_t **ret_text, size_t *ret_n, struct sentence *ret);
/* As authority_look, for the open file `fd` of name `path`. Here the file may be readable for root
 * only, and `path` may be a symbolic link. */
enum authority certificate_read(int fd, const char *path, uint8_t **ret_text, size_t *ret_n, struct sentence *ret);
/* False: *ret says what is wrong. */
bool authority_ready(const char *path, struct sentence *ret);

/*
 * The UPS, which another machine watches (box.cfg, `ups`): its state as images/ups has written it,
 * and what the box does. Pure: supervise/companions.c reads the file, records events and turns the
 * machine off.
 *
 * The reports are not authenticated. A false report can at worst turn the box off, and only where
 * `on_low` says so. If reports stop, nothing is turned off, so that cutting a cable has no effect.
 */

#define UPS_TEXT 512u /* largest size of such a file in bytes */
/* seconds; the file is written every five seconds, and an older one is ignored */
#define UPS_FRESH_S 30u
#define UPS_AWAY_S 15u /* seconds; when no report has come for so long, this is recorded */
/* Seconds for which a low battery must last before the box turns off, if the server does not force
 * a shutdown before: the time that NUT's own programs give the server (HOSTSYNC). */
#define UPS_LOW_S 15u
/* Seconds for which a state that existed at the first report must last. Without this delay, a
 * person would have no time to remove `ups` from box.cfg on a box that turns off at each start. */
#define UPS_STOOD_S 300u

enum ups_is { UPS_AWAY, UPS_MAINS, UPS_BATTERY, UPS_LOW, UPS_FORCED };
enum ups_counted { UPS_COUNTED_UNKNOWN, UPS_COUNTED, UPS_NOT_COUNTED };

extern const char *const ups_words[]; /* enum ups_is */

#define UPS_NAME_MOST 192u

struct ups_report {
	enum ups_is is;
	/* seconds since the machine started, as for all names that end in _s */
	uint64_t since_s;
	int charge;    /* percent; -1 = not known */
	int runtime_s; /* seconds that the battery will last, as the UPS says; -1 = not known */
	/* whether the UPS server waits for this box before it cuts the power */
	enum ups_counted counted;
};

/* The state of the UPS `of` ("ups@10.99.0.7:3493") in a file of n bytes. The result is "away" when
 * the file is invalid, old, or about another UPS. */
struct ups_report ups_read(const void *file, size_t n, const char *of, uint64_t now_s);

/* The state over time. Starts as zeros, and again for another UPS. */
struct ups_watch {
	bool heard;	  /* at least one report has come since the watch began */
	enum ups_is is;	  /* the last reported state, however old it is */
	uint64_t since_s; /* when this state was first seen */
	bool stood;	  /* the state is the one of the first report */
	bool silent, told_away;
	uint64_t silent_s;
	bool told_battery; /* an event that the UPS is not on mains was recorded */
	/* the order to turn off was given, or was not given because of `on_low`; set once for each
	 * low battery */
	bool done;
};

/* Events; several may occur at once. */
enum {
	UPS_WENT_AWAY = 1,
	UPS_CAME_BACK = 2,
	UPS_ON_BATTERY = 4,
	UPS_ON_MAINS = 8,
	UPS_IS_LOW = 16,
	UPS_IS_FORCED = 32,
	UPS_OFF_NOW = 64
};

/* Evaluates one report. Returns bits of the events above. */
unsigned ups_look(struct ups_watch *w, const struct ups_report *said, uint64_t now_s);

/* ---- companions_json.c: for `status` --------------------------------------------------------- */

/* What the program for the UPS `of` said last. */
struct ups_report ups_now(const char *run, const char *of);
/*
 * Adds to the answer `status`; each is null when box.cfg names no such server:
 *   "log": the log server, and how many records wait for it according to rsyslogd's notes
 *   "ups": {"server", "name", "state", "since", "away_since", "charge", "runtime", "counted",
 *     "on_low"}
 *   "mail": the state of the alarms by mail, from the file that sekisho-notify.service writes. It
 *     runs as another user, so the state is only shown. {"server", "state", "since", "waiting",
 *     "dropped", "why"}
 *   "snmp": the same for SNMP informs, by sekisho-inform.service
 * `state`: the daemon's folder; `state_fd`: its descriptor; `run`: its run folder.
 */
void companions_json(json_t *status, const struct ir *ir, int state_fd, const char *state, const char *run,
		     const struct ups_watch *w);

/* ---- log_sent.c: the number of records sent -------------------------------------------------- */

/*
 * How many records rsyslogd has sent to the log server. The position that rsyslogd has noted for
 * each file is compared with the files; both are only read. The note says that the connection
 * accepted a record, not that the server stored it.
 */
#define LOG_SENT_TIME 32u

struct log_sent {
	/* first record in the plain files, which are the files that are sent; 0 = there is none */
	uint64_t first;
	uint64_t last; /* the newest record in them */
	/* how many of these records are not noted as sent. Up to 15 of them may have been sent
	 * already (persistStateInterval) */
	uint64_t waiting;
	uint64_t next;		   /* the first waiting record, 0 = none */
	char since[LOG_SENT_TIME]; /* the time in that record; "" = none */
	/* wall time: when rsyslogd last wrote a note about these files; 0 = never */
	uint64_t noted_ns;
	bool older; /* there are earlier files, which are packed and so are not sent */
};

/*
 * `journal`: the folder of the records; `notes`: the folder in which rsyslogd keeps its positions,
 * -1 = there is none. 0 or negative errno: -EBADMSG when the notes are invalid.
 */
int log_sent_look(int journal, int notes, struct log_sent *ret, struct err *e);

#endif
