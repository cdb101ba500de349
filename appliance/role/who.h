/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The person at the other end of the control socket: the login behind a root shell, as far as the
 * kernel shows it. Used by the supervisor and by control, for the record, and to find the account
 * for an order about the draft. It never allows anything that root could not do anyway.
 */
#ifndef SEKISHO_ROLE_WHO_H
#define SEKISHO_ROLE_WHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The name of the user `uid`. For root: of the login that the process inherited (audit), else of
 * the nearest process above it that is not root (the shell before sudo or su), else root. "uid-N"
 * where no name is known.
 */
void who_name(pid_t pid, uid_t uid, char *out, size_t size);

/* The name of a uid in a file like /etc/passwd, by the first entry that has it. No directory on the
 * network is asked, because it could make this process wait. */
bool who_in(const char *file, unsigned long uid, char *out, size_t size);

/* The uid of the person who typed. For root it is that of the login in who_name; NO_TYPIST when
 * audit has no login and all parent processes are root's. For any other user it is that of the
 * inherited login (audit), else `uid`; NO_TYPIST when the process cannot be read. */
#define NO_TYPIST UINT32_MAX
uint32_t who_typed(pid_t pid, uid_t uid);

#endif
