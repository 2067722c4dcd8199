#include "COpenCV.h"
#include <opencv2/video/tracking.hpp>
int cocv_probe(void) { return cv::DISOpticalFlow::create()->getFinestScale(); }
