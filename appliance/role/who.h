/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who sits at the other end of the control socket: the login behind a root shell, as far as the kernel tells. Supervisor
 * only. It is for the record, and for whose account an order about the draft is; it never allows what root could not do anyhow.
 */
#ifndef SEKISHO_ROLE_WHO_H
#define SEKISHO_ROLE_WHO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The name of: the login that the process inherited (audit), else the nearest process above it that is not root (the shell
 * before sudo or su), else its own user. "uid-N" where no name is known.
 */
void who_name(pid_t pid, uid_t uid, char *out, size_t size);

/* The number of that login; of one who is no root the one that the process inherited (audit), else its own. NO_TYPIST: not to be found out, as where
 * nothing above root is anybody else and nothing says who logged in. */
#define NO_TYPIST UINT32_MAX
uint32_t who_typed(pid_t pid, uid_t uid);

#endif
