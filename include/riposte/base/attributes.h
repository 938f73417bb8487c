/* Compiler attributes under names that read as statements. */
#ifndef RIPOSTE_BASE_ATTRIBUTES_H
#define RIPOSTE_BASE_ATTRIBUTES_H

/* The result says whether it worked: looking away is a compile error. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* Argument `format` is a printf format for the arguments from `first` on. */
#define PRINTF_LIKE(format_index, first_index) \
    __attribute__((format(printf, format_index, first_index)))

/* Calls free_fn(&variable) when the variable leaves its scope. Hand over by assigning and
 * setting the variable to NULL. */
#define scoped(free_fn) __attribute__((cleanup(free_fn)))

/* Clang's thread-safety analysis (-Wthread-safety); nothing elsewhere. In C, GUARDED_BY works on
 * variables only: a member can't name its sibling. There, helpers say REQUIRES(&x->lock). */
#ifdef __clang__
#define THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define THREAD_ATTRIBUTE(x)
#endif
#define CAPABILITY(name)          THREAD_ATTRIBUTE(capability(name))
#define GUARDED_BY(lock)          THREAD_ATTRIBUTE(guarded_by(lock))
#define REQUIRES(...)             THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define ACQUIRE(...)              THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define RELEASE(...)              THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
#define EXCLUDES(...)             THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS THREAD_ATTRIBUTE(no_thread_safety_analysis)

#define ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
