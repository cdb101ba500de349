/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Load for the benchmarks: what the server (load_serve.c) and the clients that measure (load.c)
 * share.
 *
 * Requests are Modbus reads of 12 bytes, so that the same bytes go through plain forwarding,
 * through an accept-all queue and through inspection. A connection that starts with a TLS hello is
 * answered by one and then goes on in the same way: that is a flow which a naming conduit lets
 * go of.
 */
#ifndef SEKISHO_BENCH_LOAD_H
#define SEKISHO_BENCH_LOAD_H

#include <stddef.h>
#include <stdint.h>

#define REQUEST 12u
#define ANSWER_HEAD 9u /* bytes of an answer before its registers */
#define REGISTERS_MAX 125u
#define ANSWER_MAX (ANSWER_HEAD + 2u * REGISTERS_MAX)

struct addrinfo;

/* Whole and well-formed as far as their lengths go. */
#define CLIENT_HELLO 52u
#define SERVER_HELLO 47u
extern const unsigned char client_hello[CLIENT_HELLO];
extern const unsigned char server_hello[SERVER_HELLO];

_Noreturn void die(const char *what); /* says errno and leaves with 3 */
struct addrinfo *resolve(const char *address, const char *port, int type);

/* TCP: Modbus answers; port 443 swallows what follows a hello */
_Noreturn void serve(const struct addrinfo *ai);
/* UDP: answers what ends in '?', swallows the rest */
_Noreturn void sink(const struct addrinfo *ai);

#endif
