/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings of the programs that speak for the box from the admin namespace, chronyd, rsyslogd, upsmon, sekisho-notify, sekisho-inform and sekisho-fetch: the texts of their files, from
 * the peers of a generation. The first three are Debian's and units of their own (images/systemd), the last is a person's; the daemon starts none. Pure: who writes the
 * files, and when, is supervise/companions.c.
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

/* Sixteen sources, or a path twice with what stands around them: about a quarter of it. */
#define BESIDE_TEXT 8192u

/* How many records go to a log server by RELP before the first of them has to be answered; images/log begins as many earlier. */
#define BESIDE_WINDOW 16u

/* How a line begins that is EVE (mgmt/words/eve.h), and no record of the box's own does. */
#define BESIDE_EVE "{\"timestamp\":"

/*
 * Into `out`, with a NUL: its length. 0: ir names nobody for it (for records also: no certificate's name), so there is no file.
 * Negative errno: -EINVAL for a text that is none of wire/plain.h, -ENOSPC.
 */
int beside_chrony(const struct ir *ir, char out[BESIDE_TEXT]);
/* `state`: the folder in which the journal's own is. */
int beside_rsyslog(const struct ir *ir, const char *state, char out[BESIDE_TEXT]);
/* `netns`: the name of the admin namespace. Read by appliance/fetch/settings.h. */
int beside_update(const struct ir *ir, const char *netns, char out[BESIDE_TEXT]);
/* Of images/ups, which makes upsmon's of it and the password, a file of the box that the daemon never reads. */
int beside_ups(const struct ir *ir, char out[BESIDE_TEXT]);

/* Of sekisho-notify (mgmt/notify/settings.h). */
int beside_mail(const struct ir *ir, enum lang lang, char out[BESIDE_TEXT]);

/* Of sekisho-inform (mgmt/inform/settings.h). */
int beside_snmp(const struct ir *ir, enum lang lang, char out[BESIDE_TEXT]);

/* The receiver of SNMP informs; NULL: ir names none. */
const struct ir_peer *beside_snmp_receiver(const struct ir *ir);
/* The mail server; NULL: ir names none. */
const struct ir_peer *beside_mail_server(const struct ir *ir);
/* The server of the UPS; NULL: ir names none. */
const struct ir_peer *beside_ups_server(const struct ir *ir);
/* "ups@10.99.0.7:3493", "ups@[2001:db8:99::7]:3493": as NUT's programs take it; 64 + ADDR_TEXT + 9 bytes are enough. Returns `out`. */
const char *beside_ups_name(const struct ir_peer *p, char *out, size_t n);

/*
 * What a program that stands beside the daemon, and speaks to the network, has put down for it: a small file of lines "KEY VALUE" in a fixed
 * order. Another user writes it, who may have been taken over: nothing in it is believed before it was held to its form.
 */

#define SAID_LINE 120u /* bytes of a value, NUL included */

/* The file into `out`: its length, 0 when there is none, or one that fills all of `size`. */
size_t said_file(const char *path, uint8_t *out, size_t size);
/* The next line, without its key and a blank; "" where it is another one, which fails. */
void said_line(struct bytes *b, const char *key, char out[SAID_LINE]);
/* A number of at most nine digits, -1 for "-"; a fraction is left out. */
int64_t said_number(struct bytes *b, const char *key);
/* Seconds since this start of the machine: nobody sets them. */
uint64_t said_now_s(void);
/* A moment of this start of the machine, by the clock as it goes now. */
json_t *said_time(uint64_t s);

/*
 * The file that box.cfg names as `ca`: an authority's certificate, which another program reads as a user of its own. Looked at before an apply,
 * because afterwards nobody would hear that it cannot be read.
 */

#define AUTHORITY_MOST (1u << 20) /* bytes: a system's whole collection of authorities is a quarter of it */

enum authority {
	AUTHORITY_READY,
	AUTHORITY_ABSENT,
	AUTHORITY_UNREAD,
	AUTHORITY_LINK,	  /* a symbolic link */
	AUTHORITY_CLOSED, /* not readable for other users, one of whom reads it */
	AUTHORITY_FOLDER, /* who does not get through a folder above */
	AUTHORITY_NONE,	  /* no certificate in it */
	AUTHORITIES
};

extern const char *const authority_words[AUTHORITIES];

/* What it is good for; when it is ready its text comes along (malloc'd, owned by the caller), else *ret says what is wrong. `path` is absolute. Nothing in it is parsed. */
enum authority authority_look(const char *path, uint8_t **ret_text, size_t *ret_n, struct sentence *ret);
/* The same of what `fd` has, which is `path`: a file that root alone need be able to read, and that a link may lead to. */
enum authority certificate_read(int fd, const char *path, uint8_t **ret_text, size_t *ret_n, struct sentence *ret);
/* False: *ret says what is wrong. */
bool authority_ready(const char *path, struct sentence *ret);

/*
 * The UPS that another machine watches (box.cfg, `ups`): what the program beside us has put down of its word (images/ups), and what
 * follows from it. Pure: who reads the file, records and turns the machine off is supervise/companions.c.
 *
 * Its word is believed, whoever gives it: the worst that it can do is to turn the box off, and only where `on_low` says so. That it falls
 * silent does nothing: who cuts a cable shall not turn anything off.
 */

#define UPS_TEXT 512u	/* the most that such a file may have */
#define UPS_FRESH_S 30u /* it is written every five seconds; an older one says nothing of now */
#define UPS_AWAY_S 15u	/* silence for so long is recorded */
/* A low battery that nobody has turned into a forced shutdown meanwhile: the time that NUT's own programs leave the server (HOSTSYNC). */
#define UPS_LOW_S 15u
/* What stood already when it was first heard of: somebody must be able to take `ups` out of a box that would else go off at each start. */
#define UPS_STOOD_S 300u

enum ups_is { UPS_AWAY, UPS_MAINS, UPS_BATTERY, UPS_LOW, UPS_FORCED };
enum ups_counted { UPS_COUNTED_UNKNOWN, UPS_COUNTED, UPS_NOT_COUNTED };

extern const char *const ups_words[]; /* enum ups_is */

struct ups_said {
	enum ups_is is;
	uint64_t since_s;	  /* by the machine's time since its start, as is all that ends in _s */
	int charge;		  /* percent, -1 = it did not say */
	int runtime_s;		  /* that it expects to last, -1 = it did not say */
	enum ups_counted counted; /* whether its server waits for this box before it takes the power away */
};

/* What a file of n bytes says of the UPS `of` ("ups@10.99.0.7:3493"). Away: it says nothing that can be used, or is of another one, or old. */
struct ups_said ups_read(const void *file, size_t n, const char *of, uint64_t now_s);

/* Over time. Begins as zeros, and anew with another UPS. */
struct ups_watch {
	bool heard;	  /* something since it began */
	enum ups_is is;	  /* the last word, however long it is silent */
	uint64_t since_s; /* that word, by whoever watches */
	bool stood;	  /* it was the first word */
	bool silent, told_away;
	uint64_t silent_s;
	bool told_battery; /* that it is not on mains was recorded */
	bool done; /* the machine was turned off, or would have been: once for each time that the battery is low */
};

/* What has happened, several at once. */
enum {
	UPS_WENT_AWAY = 1,
	UPS_CAME_BACK = 2,
	UPS_ON_BATTERY = 4,
	UPS_ON_MAINS = 8,
	UPS_IS_LOW = 16,
	UPS_IS_FORCED = 32,
	UPS_OFF_NOW = 64
};

/* One look; bits of the above. */
unsigned ups_look(struct ups_watch *w, const struct ups_said *said, uint64_t now_s);

#endif
