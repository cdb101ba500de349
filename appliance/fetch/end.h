/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a fetch ends: the exit status of sekisho-fetch, which the console's `update` puts into words. The numbers are between the two programs and in
 * images/image/root/usr/lib/sekisho/update; they are never given another meaning.
 */
#ifndef SEKISHO_FETCH_END_H
#define SEKISHO_FETCH_END_H

enum fetch_end {
	FETCH_DONE = 0,
	FETCH_BROKEN = 1, /* this program or its box: standard error says what */
	FETCH_USAGE = 2,
	FETCH_NOBODY = 3,     /* the policy in force names no update server */
	FETCH_UNREACHED = 4,  /* no connection within its time */
	FETCH_AUTHORITY = 5,  /* a certificate, but not by the authority of box.cfg */
	FETCH_NAME = 6,	      /* by it, for another name */
	FETCH_DATES = 7,      /* not valid yet, or not any more, by this box's clock */
	FETCH_TLS = 8,	      /* something else went wrong with TLS */
	FETCH_ABSENT = 9,     /* 404 */
	FETCH_ELSEWHERE = 10, /* a redirect: nobody but the server of box.cfg is asked */
	FETCH_ANSWER = 11,    /* another status, or a head that does not say plainly how long the file is */
	FETCH_LARGE = 12,     /* longer than it may be */
	FETCH_CUT = 13,	      /* it ended before its length */
	FETCH_SLOW = 14,      /* over its time, or too little in a minute */
	FETCH_WRITE = 15,     /* what came could not be written */
	FETCH_MORE = 100,     /* within the program: go on reading */
};

#endif
