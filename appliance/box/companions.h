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
#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "appliance/base/sentence.h"
#include "policy/ir/ir.h"

/* Bytes of a file. The longest ones (sixteen time sources, or a long path twice) take about a
 * quarter of it. */
#define BESIDE_TEXT 8192u

/* How many records may be sent to a log server by RELP before the first of them is acknowledged.
 * After a start, images/log repeats as many. */
#define BESIDE_WINDOW 16u

/* The beginning of every EVE line (mgmt/words/eve.h). No record of the box begins in this way. */
#define BESIDE_EVE "{\"timestamp\":"

/*
 * Each function writes a file to `out`, with a NUL, and returns its length. 0: ir names no such
 * peer (or, for records, no name of a certificate), so there is no file. Negative errno: -EINVAL: a
 * text is not plain (wire/plain.h); -ENOSPC: the file is too long.
 */
int beside_chrony(const struct ir *ir, char out[BESIDE_TEXT]);
/* `state`: the folder that contains the folder of the journal. */
int beside_rsyslog(const struct ir *ir, const char *state, char out[BESIDE_TEXT]);
/* `netns`: the name of the admin namespace. Read by appliance/fetch/settings.c. */
int beside_update(const struct ir *ir, const char *netns, char out[BESIDE_TEXT]);
/* As beside_update, for the server that backups are sent to. */
int beside_backup(const struct ir *ir, const char *netns, char out[BESIDE_TEXT]);
/* The file for images/ups, which makes the file of upsmon from it and from the password. The daemon
 * never reads the password. */
int beside_ups(const struct ir *ir, char out[BESIDE_TEXT]);

/* The file for sekisho-notify (mgmt/notify/settings.h). */
int beside_mail(const struct ir *ir, enum lang lang, char out[BESIDE_TEXT]);

/* The file for sekisho-inform (mgmt/inform/settings.c). */
int beside_snmp(const struct ir *ir, enum lang lang, char out[BESIDE_TEXT]);

/* The receiver of SNMP informs; NULL: ir names none. */
const struct ir_peer *beside_snmp_receiver(const struct ir *ir);
/* The mail server; NULL: ir names none. */
const struct ir_peer *beside_mail_server(const struct ir *ir);
/* The server of the UPS; NULL: ir names none. */
const struct ir_peer *beside_ups_server(const struct ir *ir);
/* "ups@10.99.0.7:3493", "ups@[2001:db8:99::7]:3493": as NUT's programs take it; 64 + ADDR_TEXT + 9
 * bytes are enough. Returns `out`. */
const char *beside_ups_name(const struct ir_peer *p, char *out, size_t n);

/*
 * The status files of programs beside the daemon that communicate with the network: small files of
 * lines "KEY VALUE" in a fixed order. They are written by another user, who may be compromised, so
 * their form is checked strictly.
 */

#define SAID_LINE 120u /* bytes of a value, NUL included */

/* Reads the file into `out`, and returns its length. 0 when there is no file, or it has `size`
 * bytes or more. */
size_t said_file(const char *path, uint8_t *out, size_t size);
/* Reads the value of the next line. If the line has another key, the value is "", and `b` fails. */
void said_line(struct bytes *b, const char *key, char out[SAID_LINE]);
/* Reads a number of at most nine digits; -1 for "-". A fraction is ignored. */
int64_t said_number(struct bytes *b, const char *key);
/* Seconds since the machine started, by a clock that cannot be set. */
uint64_t said_now_s(void);
/* Converts seconds since the machine started to a time, by the present clock. */
json_t *said_time(uint64_t s);

/*
 * The file that box.cfg names as `ca`: certificates of authorities, which another program reads
 * under its own user. It is checked before an apply, because afterwards its failure would not be
 * reported to the person who applies.
 */

/* bytes; the whole collection of authorities of a system has a quarter of it */
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
/* As authority_look, for the open file `fd` of name `path`. It may be a file that only root can
 * read, and may be reached by a symbolic link. */
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

struct ups_said {
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
struct ups_said ups_read(const void *file, size_t n, const char *of, uint64_t now_s);

/* The state over time. Starts as zeros, and again for another UPS. */
struct ups_watch {
	bool heard;	  /* at least one report has come since the watch began */
	enum ups_is is;	  /* the last reported state, however old it is */
	uint64_t since_s; /* when this state was first seen */
	bool stood;	  /* the state is the one of the first report */
	bool silent, told_away;
	uint64_t silent_s;
	bool told_battery; /* an event that the UPS is not on mains was recorded */
	/* the order to turn off was given, or skipped by `on_low`; once for each low battery */
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
unsigned ups_look(struct ups_watch *w, const struct ups_said *said, uint64_t now_s);

/* ---- companions_json.c: for `status`; the caller owns the objects ---------------------------- */

/* The log server, and how many records wait for it according to rsyslogd's notes; null when box.cfg
 * names none. `state`: the daemon's folder; `state_fd`: its descriptor. */
json_t *beside_log_json(const struct ir *ir, int state_fd, const char *state);
/* The state of the alarms by mail, from the file that sekisho-notify.service writes. It runs as
 * another user, so the state is only shown. {"server", "state", "since", "waiting", "dropped",
 * "why"}; null: box.cfg names no mail server. `run`: the daemon's run folder. */
json_t *beside_mail_json(const struct ir *ir, const char *run);
/* The same for SNMP informs, by sekisho-inform.service; null: box.cfg names no receiver of
 * informs. */
json_t *beside_snmp_json(const struct ir *ir, const char *run);
/* What the program for the UPS `of` said last. */
struct ups_said ups_now(const char *run, const char *of);
/* {"server", "name", "state", "since", "away_since", "charge", "runtime", "counted", "on_low"};
 * null: box.cfg names none. */
json_t *beside_ups_json(const struct ir *ir, const char *run, const struct ups_watch *w);

#endif
