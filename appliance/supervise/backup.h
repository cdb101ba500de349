/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backup: what the box says of itself is put together, one step a turn of the loop, and handed with the site's certificate to the program beside this one that
 * has the library for it, in a process of its own. It comes back encrypted, so that who asked for it, root or a backup operator, carries what he cannot
 * read. An operation that changes what is in force goes before it.
 */
#ifndef SEKISHO_SUPERVISE_BACKUP_H
#define SEKISHO_SUPERVISE_BACKUP_H

#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/supervise/control.h"
#include "appliance/wire/msg.h"

int backup_open(struct supervisor *s, struct err *e);
/* `certificate`: a memfd with one in PEM, which stays the caller's; -1: the site's, BACKUP_CERTIFICATE. One backup at a time. */
void backup_begin(struct supervisor *s, struct asker a, const char *by, int certificate);
/* What was asked of a role for it. */
void backup_told(struct supervisor *s, struct asker a, int status, int fd);
void backup_sealed(struct supervisor *s, const struct msg *m);
void backup_sealer_died(struct supervisor *s);
/* Nobody waits for this one any more. */
void backup_stop(struct supervisor *s, const struct asker *a);
/* The compiler is wanted: the backup waits until that operation is over; or it is sealed first, if it is ready for that. */
void backup_make_way(struct supervisor *s);
void backup_goes_first(struct supervisor *s);
void backup_due(struct supervisor *s, uint64_t now);
uint64_t backup_next(const struct supervisor *s); /* monotonic ns, UINT64_MAX = never */

#endif
