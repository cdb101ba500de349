/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a backup. The content is collected in steps, one for each turn of the loop. sekisho-compile
 * encrypts it with the site's certificate in a process of its own, so a backup operator gets a file
 * that only the holder of the key can read. Operations that change the policy in force go first.
 */
#ifndef SEKISHO_CONTROL_BACKUP_H
#define SEKISHO_CONTROL_BACKUP_H

#include <stdint.h>

#include "appliance/control/asker.h"

struct control;
struct err;
struct msg;

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

#endif
