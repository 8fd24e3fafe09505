# The contract of sync/remote/remote.h, run against real servers. Each test starts its server on
# loopback, runs contract_remote and stops the server; without the server's packages it is skipped (77).
file(GLOB contract_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/contract/*.cpp)
add_executable(contract_remote ${contract_sources})
target_include_directories(contract_remote PRIVATE ${CMAKE_CURRENT_LIST_DIR}/contract)
target_link_libraries(contract_remote PRIVATE shoebox_sync shoebox_remote GTest::gtest_main)
if(SHOEBOX_PCH)
  target_precompile_headers(contract_remote PRIVATE <gtest/gtest.h> <functional> <memory> <string> <thread> <vector>)
endif()

foreach(server directory mini-s3 s3rver ceph-rgw rclone-dav apache-dav nginx-dav nextcloud sshd rclone-sftp
        crypt-directory crypt-mini-s3)
  add_test(NAME servers.contract.${server}
    COMMAND ${CMAKE_CURRENT_LIST_DIR}/contract-on ${server} $<TARGET_FILE:contract_remote>)
  set_tests_properties(servers.contract.${server} PROPERTIES
    LABELS servers SKIP_RETURN_CODE 77 TIMEOUT 480)
endforeach()

add_test(NAME servers.fault_proxy COMMAND ${CMAKE_CURRENT_LIST_DIR}/fault_proxy_test.py)
set_tests_properties(servers.fault_proxy PROPERTIES LABELS servers TIMEOUT 60)

# The folder that fails, for tests/crash/test_faults.py.
add_executable(fault_folder ${CMAKE_CURRENT_LIST_DIR}/fault_folder.cpp)
target_link_libraries(fault_folder PRIVATE PkgConfig::FUSE3 Threads::Threads)
set_target_properties(fault_folder PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
