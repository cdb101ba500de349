/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings of the programs that speak for the box from the admin namespace, chronyd, rsyslogd and sekisho-fetch: the texts of their files, from the
 * peers of a generation. The first two are Debian's and units of their own (images/systemd), the third is a person's; the daemon starts none. Pure: who writes the
 * files, and when, is supervise/beside.c.
 */
#ifndef SEKISHO_BOX_BESIDE_H
#define SEKISHO_BOX_BESIDE_H

#include <stddef.h>

#include "policy/ir/ir.h"

/* Sixteen sources, or a path twice with what stands around them: about a quarter of it. */
#define BESIDE_TEXT 8192u

/*
 * Into `out`, with a NUL: its length. 0: ir names nobody for it (for records also: no certificate's name), so there is no file.
 * Negative errno: -EINVAL for a text that is none of wire/plain.h, -ENOSPC.
 */
int beside_chrony(const struct ir *ir, char out[BESIDE_TEXT]);
/* `state`: the folder in which the journal's own is. */
int beside_rsyslog(const struct ir *ir, const char *state, char out[BESIDE_TEXT]);
/* `netns`: the name of the admin namespace. Read by appliance/fetch/settings.h. */
int beside_update(const struct ir *ir, const char *netns, char out[BESIDE_TEXT]);

#endif
