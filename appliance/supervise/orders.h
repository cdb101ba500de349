/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders of people that change the box. Control is not trusted about who gave them. An order at the
 * machine is read by this process itself (persons.h), and the kernel gives the user. An order over
 * the web comes from control, with the secret of a session; `accounts` names its account and checks
 * the right. Only the state of the draft and its approval are taken from control.
 */
#ifndef SEKISHO_SUPERVISE_ORDERS_H
#define SEKISHO_SUPERVISE_ORDERS_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct msg;
struct slot;
struct supervisor;
struct ucred;

/* 0 or negative errno. */
int orders_open(struct supervisor *s, struct err *e);
/* Takes an order over the web, with its descriptors. False: there is no such order. */
bool orders_web(struct supervisor *s, struct msg *m);
/* ... about the records, which the journal or accounts carries out. False: as above. */
bool orders_records(struct supervisor *s, struct msg *m);
/* Takes the order of a person at the machine, and gives his connection to control. `root`: it came
 * by root's socket; its sender is `who`. */
void orders_at_machine(struct supervisor *s, int fd, const struct ucred *who, bool root, struct msg *m);
/* Takes the answer of accounts about the person, or of the role that carries the order out. False:
 * it answers no order. */
bool orders_judged(struct supervisor *s, const struct slot *sl, struct msg *m);
/* Enforce has the policy in force now: gives it the orders that waited for that. */
void orders_again(struct supervisor *s);
/* Enforce's decision on the order that this question belongs to is on the disk. */
void orders_stored(struct supervisor *s, uint32_t question);
/* Takes the answer of control about the draft. */
void orders_grounded(struct supervisor *s, struct msg *m);
/* The asker of this request does not wait any more: dry runs are ended, other orders go on. */
void orders_stop(struct supervisor *s, uint32_t id);
/* Accounts or control has ended, so all waiting orders are void. */
void orders_gone(struct supervisor *s, const struct slot *sl);
uint64_t orders_due(struct supervisor *s, uint64_t now);

#endif
