/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of the programs for mail, SNMP and logs. */
#ifndef SEKISHO_SUPERVISE_COMPANIONS_H
#define SEKISHO_SUPERVISE_COMPANIONS_H

#include <stdbool.h>

struct ir;
struct sentence;
struct supervisor;

/* supervise/companions.c: writes the settings of the programs that communicate for the box, by the
 * policy in force */
void beside_write(struct supervisor *s);
/* whether the files exist that the settings for `ir` name; false: *ret says what is wrong */
bool beside_ready(const struct ir *ir, struct sentence *ret);

#define SERVICE_MESSAGES "messages"

/* Tries a service out now: SERVICE_MESSAGES (the record does that), "backup" or "time", for which
 * their units wait for a file. False: there is no such service here. */
bool beside_try(struct supervisor *s, const char *service);

#endif
