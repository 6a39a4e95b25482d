// Pictures for reports, drawn by gnuplot as SVG.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace litenat::cli {

/// A named sequence of points.
struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;
  bool dashed = false;
};

/// Points with their names beside them: one a model.
struct LabelledPoint {
  std::string name;
  double x = 0;
  double y = 0;
};

/// Bars in groups: values[series][group].
struct BarGroups {
  std::vector<std::string> groups;
  std::vector<std::string> series;
  std::vector<std::vector<double>> values;
};

// Each returns an <svg> element for a page. Throws Error when gnuplot is missing or refuses.
std::string plot_lines(const std::string& title, const std::string& x_label, const std::string& y_label,
                       const std::vector<Series>& series);
std::string plot_points(const std::string& title, const std::string& x_label, const std::string& y_label,
                        const std::vector<LabelledPoint>& points);
std::string plot_bars(const std::string& title, const std::string& y_label, const BarGroups& bars);

}  // namespace litenat::cli
