/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings of the programs that speak for the box from the admin namespace, chronyd, rsyslogd, upsmon, sekisho-notify, sekisho-inform and sekisho-fetch: the texts of their files, from
 * the peers of a generation. The first three are Debian's and units of their own (images/systemd), the last is a person's; the daemon starts none. Pure: who writes the
 * files, and when, is supervise/companions.c.
 */
#ifndef SEKISHO_BOX_BESIDE_H
#define SEKISHO_BOX_BESIDE_H

#include <stddef.h>

#include "appliance/base/messages.h"
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

#endif
