/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a rule does once its comparisons hold: it ends, counts, logs, queues or decides.
 */
#ifndef SEKISHO_KERNEL_EXPR_ACT_H
#define SEKISHO_KERNEL_EXPR_ACT_H

#include <stdbool.h>
#include <stdint.h>

struct build;

/* word = a random number from 0 to parts - 1 */
void expr_draw(struct build *b, uint32_t parts, uint32_t word);
/* The next three use the set's element whose key is in register 0 and the following ones. */
/* ends the rule above this rate */
void expr_pace(struct build *b, unsigned set, uint32_t per_second, uint32_t burst);
/* ends the rule unless there are more than `most` */
void expr_crowd(struct build *b, unsigned set, uint32_t most);
/* ends the rule if the set is full */
void expr_keep(struct build *b, unsigned set, uint32_t seconds, bool anew);
void expr_limit(struct build *b, uint32_t per_second, uint32_t burst);
void expr_log_record(struct build *b, uint32_t reason);
/* logs to the tap, which learns the sender's device and makes no record */
void expr_log_device(struct build *b);
void expr_counter(struct build *b); /* a counter of the rule itself */
void expr_count(struct build *b, uint32_t reason);
/* makes the kernel write the packet's checksum, and ends the rule */
void expr_checksum(struct build *b);
void expr_queue(struct build *b, uint32_t lane, bool together, bool bypass, unsigned lacks);
/* ends the rule unless the verdict cache's program passes the packet */
void expr_once(struct build *b, uint32_t kind);
/* `v`: NF_* or NFT_GOTO; `chain`: NULL except for NFT_GOTO */
void expr_verdict(struct build *b, int v, const char *chain);

#endif
