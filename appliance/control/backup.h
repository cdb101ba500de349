/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backup: what the box says of itself is put together, one step a turn of the loop, and handed with the site's certificate to the program beside this one that
 * has the library for it, in a process of its own. It comes back encrypted, so that who asked for it, root or a backup operator, carries what he cannot
 * read. An operation that changes what is in force goes before it.
 */
#ifndef SEKISHO_CONTROL_BACKUP_H
#define SEKISHO_CONTROL_BACKUP_H

#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/control/asker.h"
#include "appliance/wire/msg.h"

int backup_open(struct control *s, struct err *e);
/* `certificate`: a memfd with one in PEM, which stays the caller's; -1: the site's, BACKUP_CERTIFICATE. One backup at a time. */
void backup_begin(struct control *s, struct asker a, const char *by, int certificate);
/* What was asked of a role for it. */
void backup_told(struct control *s, struct asker a, int status, int fd);
void backup_sealed(struct control *s, const struct msg *m);
/* Nobody seals this one. */
void backup_unsealed(struct control *s, uint32_t id);
/* Nobody waits for this one any more. */
void backup_stop(struct control *s, const struct asker *a);
void backup_due(struct control *s, uint64_t now);
uint64_t backup_next(const struct control *s); /* monotonic ns, UINT64_MAX = never */

#endif
