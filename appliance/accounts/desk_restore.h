/* SPDX-License-Identifier: Apache-2.0 */
/* The register of accounts of a backup. */
#ifndef SEKISHO_ACCOUNTS_DESK_RESTORE_H
#define SEKISHO_ACCOUNTS_DESK_RESTORE_H

#include <stdint.h>

struct desk;
struct msg_user;

/* Root replaces the register by that of a backup (a sealed memfd of the caller), or asks what that
 * would change. */
void desk_restore(struct desk *d, uint32_t id, const struct msg_user *m, int memfd);

#endif
